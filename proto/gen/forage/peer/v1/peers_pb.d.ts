// package: forage.peer.v1
// file: forage/peer/v1/peers.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

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

export class FindLayerRequest extends jspb.Message { 
    clearChainIdsList(): void;
    getChainIdsList(): Array<string>;
    setChainIdsList(value: Array<string>): FindLayerRequest;
    addChainIds(value: string, index?: number): string;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): FindLayerRequest.AsObject;
    static toObject(includeInstance: boolean, msg: FindLayerRequest): FindLayerRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: FindLayerRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): FindLayerRequest;
    static deserializeBinaryFromReader(message: FindLayerRequest, reader: jspb.BinaryReader): FindLayerRequest;
}

export namespace FindLayerRequest {
    export type AsObject = {
        chainIdsList: Array<string>,
    }
}

export class FindLayerReply extends jspb.Message { 
    clearLayersList(): void;
    getLayersList(): Array<LayerRecord>;
    setLayersList(value: Array<LayerRecord>): FindLayerReply;
    addLayers(value?: LayerRecord, index?: number): LayerRecord;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): FindLayerReply.AsObject;
    static toObject(includeInstance: boolean, msg: FindLayerReply): FindLayerReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: FindLayerReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): FindLayerReply;
    static deserializeBinaryFromReader(message: FindLayerReply, reader: jspb.BinaryReader): FindLayerReply;
}

export namespace FindLayerReply {
    export type AsObject = {
        layersList: Array<LayerRecord.AsObject>,
    }
}

export class GetVolumeRequest extends jspb.Message { 
    getRoot(): Uint8Array | string;
    getRoot_asU8(): Uint8Array;
    getRoot_asB64(): string;
    setRoot(value: Uint8Array | string): GetVolumeRequest;

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
