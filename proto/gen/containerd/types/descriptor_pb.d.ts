// package: containerd.types
// file: containerd/types/descriptor.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

export class Descriptor extends jspb.Message { 
    getMediaType(): string;
    setMediaType(value: string): Descriptor;
    getDigest(): string;
    setDigest(value: string): Descriptor;
    getSize(): string;
    setSize(value: string): Descriptor;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Descriptor.AsObject;
    static toObject(includeInstance: boolean, msg: Descriptor): Descriptor.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Descriptor, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Descriptor;
    static deserializeBinaryFromReader(message: Descriptor, reader: jspb.BinaryReader): Descriptor;
}

export namespace Descriptor {
    export type AsObject = {
        mediaType: string,
        digest: string,
        size: string,
    }
}
