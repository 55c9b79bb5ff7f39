// package: forage.peer.v1
// file: forage/peer/v1/peers.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

export class RestoreRequest extends jspb.Message { 
    getCheckpoint(): string;
    setCheckpoint(value: string): RestoreRequest;
    getNamespace(): string;
    setNamespace(value: string): RestoreRequest;
    getContainer(): string;
    setContainer(value: string): RestoreRequest;
    getWhole(): boolean;
    setWhole(value: boolean): RestoreRequest;
    getPrepare(): boolean;
    setPrepare(value: boolean): RestoreRequest;
    getFallback(): string;
    setFallback(value: string): RestoreRequest;
    getFollow(): boolean;
    setFollow(value: boolean): RestoreRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RestoreRequest.AsObject;
    static toObject(includeInstance: boolean, msg: RestoreRequest): RestoreRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RestoreRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RestoreRequest;
    static deserializeBinaryFromReader(message: RestoreRequest, reader: jspb.BinaryReader): RestoreRequest;
}

export namespace RestoreRequest {
    export type AsObject = {
        checkpoint: string,
        namespace: string,
        container: string,
        whole: boolean,
        prepare: boolean,
        fallback: string,
        follow: boolean,
    }
}

export class RestoreProgress extends jspb.Message { 
    getText(): string;
    setText(value: string): RestoreProgress;
    getRunning(): boolean;
    setRunning(value: boolean): RestoreProgress;
    getComplete(): boolean;
    setComplete(value: boolean): RestoreProgress;
    getFailed(): string;
    setFailed(value: string): RestoreProgress;
    getHereBytes(): string;
    setHereBytes(value: string): RestoreProgress;
    getTotalBytes(): string;
    setTotalBytes(value: string): RestoreProgress;
    getSharedBytes(): string;
    setSharedBytes(value: string): RestoreProgress;
    getFellBack(): boolean;
    setFellBack(value: boolean): RestoreProgress;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RestoreProgress.AsObject;
    static toObject(includeInstance: boolean, msg: RestoreProgress): RestoreProgress.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RestoreProgress, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RestoreProgress;
    static deserializeBinaryFromReader(message: RestoreProgress, reader: jspb.BinaryReader): RestoreProgress;
}

export namespace RestoreProgress {
    export type AsObject = {
        text: string,
        running: boolean,
        complete: boolean,
        failed: string,
        hereBytes: string,
        totalBytes: string,
        sharedBytes: string,
        fellBack: boolean,
    }
}

export class PingRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PingRequest.AsObject;
    static toObject(includeInstance: boolean, msg: PingRequest): PingRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PingRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PingRequest;
    static deserializeBinaryFromReader(message: PingRequest, reader: jspb.BinaryReader): PingRequest;
}

export namespace PingRequest {
    export type AsObject = {
    }
}

export class PingReply extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PingReply.AsObject;
    static toObject(includeInstance: boolean, msg: PingReply): PingReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PingReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PingReply;
    static deserializeBinaryFromReader(message: PingReply, reader: jspb.BinaryReader): PingReply;
}

export namespace PingReply {
    export type AsObject = {
    }
}

export class LayerRecord extends jspb.Message { 
    getChainId(): string;
    setChainId(value: string): LayerRecord;
    getDiffId(): string;
    setDiffId(value: string): LayerRecord;
    getParent(): string;
    setParent(value: string): LayerRecord;
    getRoot(): Uint8Array | string;
    getRoot_asU8(): Uint8Array;
    getRoot_asB64(): string;
    setRoot(value: Uint8Array | string): LayerRecord;
    getFormat(): string;
    setFormat(value: string): LayerRecord;
    getOrigin(): LayerRecord.Origin;
    setOrigin(value: LayerRecord.Origin): LayerRecord;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): LayerRecord.AsObject;
    static toObject(includeInstance: boolean, msg: LayerRecord): LayerRecord.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: LayerRecord, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): LayerRecord;
    static deserializeBinaryFromReader(message: LayerRecord, reader: jspb.BinaryReader): LayerRecord;
}

export namespace LayerRecord {
    export type AsObject = {
        chainId: string,
        diffId: string,
        parent: string,
        root: Uint8Array | string,
        format: string,
        origin: LayerRecord.Origin,
    }

    export enum Origin {
    UNKNOWN = 0,
    INGESTED = 1,
    WALKED = 2,
    COPIED = 3,
    }

}

export class GetVolumeRequest extends jspb.Message { 
    getRoot(): Uint8Array | string;
    getRoot_asU8(): Uint8Array;
    getRoot_asB64(): string;
    setRoot(value: Uint8Array | string): GetVolumeRequest;
    getIndexOnly(): boolean;
    setIndexOnly(value: boolean): GetVolumeRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetVolumeRequest.AsObject;
    static toObject(includeInstance: boolean, msg: GetVolumeRequest): GetVolumeRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetVolumeRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetVolumeRequest;
    static deserializeBinaryFromReader(message: GetVolumeRequest, reader: jspb.BinaryReader): GetVolumeRequest;
}

export namespace GetVolumeRequest {
    export type AsObject = {
        root: Uint8Array | string,
        indexOnly: boolean,
    }
}

export class GetVolumeReply extends jspb.Message { 
    getIndex(): Uint8Array | string;
    getIndex_asU8(): Uint8Array;
    getIndex_asB64(): string;
    setIndex(value: Uint8Array | string): GetVolumeReply;
    getMetadataZstd(): Uint8Array | string;
    getMetadataZstd_asU8(): Uint8Array;
    getMetadataZstd_asB64(): string;
    setMetadataZstd(value: Uint8Array | string): GetVolumeReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetVolumeReply.AsObject;
    static toObject(includeInstance: boolean, msg: GetVolumeReply): GetVolumeReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetVolumeReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetVolumeReply;
    static deserializeBinaryFromReader(message: GetVolumeReply, reader: jspb.BinaryReader): GetVolumeReply;
}

export namespace GetVolumeReply {
    export type AsObject = {
        index: Uint8Array | string,
        metadataZstd: Uint8Array | string,
    }
}

export class PinRequest extends jspb.Message { 
    getRoots(): Uint8Array | string;
    getRoots_asU8(): Uint8Array;
    getRoots_asB64(): string;
    setRoots(value: Uint8Array | string): PinRequest;
    getIds(): Uint8Array | string;
    getIds_asU8(): Uint8Array;
    getIds_asB64(): string;
    setIds(value: Uint8Array | string): PinRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PinRequest.AsObject;
    static toObject(includeInstance: boolean, msg: PinRequest): PinRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PinRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PinRequest;
    static deserializeBinaryFromReader(message: PinRequest, reader: jspb.BinaryReader): PinRequest;
}

export namespace PinRequest {
    export type AsObject = {
        roots: Uint8Array | string,
        ids: Uint8Array | string,
    }
}

export class PinReply extends jspb.Message { 
    getAnswers(): Uint8Array | string;
    getAnswers_asU8(): Uint8Array;
    getAnswers_asB64(): string;
    setAnswers(value: Uint8Array | string): PinReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PinReply.AsObject;
    static toObject(includeInstance: boolean, msg: PinReply): PinReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PinReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PinReply;
    static deserializeBinaryFromReader(message: PinReply, reader: jspb.BinaryReader): PinReply;
}

export namespace PinReply {
    export type AsObject = {
        answers: Uint8Array | string,
    }

    export enum Answer {
    UNKNOWN = 0,
    KEPT = 1,
    NOT_OWNER = 2,
    ABSENT = 3,
    DROPPING = 4,
    UNKNOWN_VOLUME = 5,
    }

}
