// package: containerd.runc.v1
// file: containerd/runc/options.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

export class Options extends jspb.Message { 
    getNoPivotRoot(): boolean;
    setNoPivotRoot(value: boolean): Options;
    getNoNewKeyring(): boolean;
    setNoNewKeyring(value: boolean): Options;
    getShimCgroup(): string;
    setShimCgroup(value: string): Options;
    getIoUid(): number;
    setIoUid(value: number): Options;
    getIoGid(): number;
    setIoGid(value: number): Options;
    getBinaryName(): string;
    setBinaryName(value: string): Options;
    getRoot(): string;
    setRoot(value: string): Options;
    getSystemdCgroup(): boolean;
    setSystemdCgroup(value: boolean): Options;
    getCriuImagePath(): string;
    setCriuImagePath(value: string): Options;
    getCriuWorkPath(): string;
    setCriuWorkPath(value: string): Options;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Options.AsObject;
    static toObject(includeInstance: boolean, msg: Options): Options.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Options, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Options;
    static deserializeBinaryFromReader(message: Options, reader: jspb.BinaryReader): Options;
}

export namespace Options {
    export type AsObject = {
        noPivotRoot: boolean,
        noNewKeyring: boolean,
        shimCgroup: string,
        ioUid: number,
        ioGid: number,
        binaryName: string,
        root: string,
        systemdCgroup: boolean,
        criuImagePath: string,
        criuWorkPath: string,
    }
}
