// package: forage.admin.v1
// file: forage/admin/v1/admin.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";

export class StatusRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): StatusRequest.AsObject;
    static toObject(includeInstance: boolean, msg: StatusRequest): StatusRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: StatusRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): StatusRequest;
    static deserializeBinaryFromReader(message: StatusRequest, reader: jspb.BinaryReader): StatusRequest;
}

export namespace StatusRequest {
    export type AsObject = {
    }
}

export class StatusReply extends jspb.Message { 
    getNode(): string;
    setNode(value: string): StatusReply;
    getVersion(): string;
    setVersion(value: string): StatusReply;
    clearPeersList(): void;
    getPeersList(): Array<Peer>;
    setPeersList(value: Array<Peer>): StatusReply;
    addPeers(value?: Peer, index?: number): Peer;
    getVolumes(): number;
    setVolumes(value: number): StatusReply;

    hasBlocks(): boolean;
    clearBlocks(): void;
    getBlocks(): Blocks | undefined;
    setBlocks(value?: Blocks): StatusReply;
    getFetchedBytes(): string;
    setFetchedBytes(value: string): StatusReply;
    getServedBytes(): string;
    setServedBytes(value: string): StatusReply;
    getDemandReads(): string;
    setDemandReads(value: string): StatusReply;
    getWaitingReads(): number;
    setWaitingReads(value: number): StatusReply;

    hasIngest(): boolean;
    clearIngest(): void;
    getIngest(): Ingest | undefined;
    setIngest(value?: Ingest): StatusReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): StatusReply.AsObject;
    static toObject(includeInstance: boolean, msg: StatusReply): StatusReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: StatusReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): StatusReply;
    static deserializeBinaryFromReader(message: StatusReply, reader: jspb.BinaryReader): StatusReply;
}

export namespace StatusReply {
    export type AsObject = {
        node: string,
        version: string,
        peersList: Array<Peer.AsObject>,
        volumes: number,
        blocks?: Blocks.AsObject,
        fetchedBytes: string,
        servedBytes: string,
        demandReads: string,
        waitingReads: number,
        ingest?: Ingest.AsObject,
    }
}

export class Peer extends jspb.Message { 
    getAddress(): string;
    setAddress(value: string): Peer;
    getName(): string;
    setName(value: string): Peer;
    getState(): string;
    setState(value: string): Peer;
    getRttMs(): number;
    setRttMs(value: number): Peer;
    getBytesPerSecond(): number;
    setBytesPerSecond(value: number): Peer;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Peer.AsObject;
    static toObject(includeInstance: boolean, msg: Peer): Peer.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Peer, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Peer;
    static deserializeBinaryFromReader(message: Peer, reader: jspb.BinaryReader): Peer;
}

export namespace Peer {
    export type AsObject = {
        address: string,
        name: string,
        state: string,
        rttMs: number,
        bytesPerSecond: number,
    }
}

export class Blocks extends jspb.Message { 
    getCount(): string;
    setCount(value: string): Blocks;
    getBytes(): string;
    setBytes(value: string): Blocks;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Blocks.AsObject;
    static toObject(includeInstance: boolean, msg: Blocks): Blocks.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Blocks, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Blocks;
    static deserializeBinaryFromReader(message: Blocks, reader: jspb.BinaryReader): Blocks;
}

export namespace Blocks {
    export type AsObject = {
        count: string,
        bytes: string,
    }
}

export class Ingest extends jspb.Message { 
    getQueued(): number;
    setQueued(value: number): Ingest;
    getRunning(): number;
    setRunning(value: number): Ingest;
    getDone(): number;
    setDone(value: number): Ingest;
    getFailed(): number;
    setFailed(value: number): Ingest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Ingest.AsObject;
    static toObject(includeInstance: boolean, msg: Ingest): Ingest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Ingest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Ingest;
    static deserializeBinaryFromReader(message: Ingest, reader: jspb.BinaryReader): Ingest;
}

export namespace Ingest {
    export type AsObject = {
        queued: number,
        running: number,
        done: number,
        failed: number,
    }
}

export class VolumesRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): VolumesRequest.AsObject;
    static toObject(includeInstance: boolean, msg: VolumesRequest): VolumesRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: VolumesRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): VolumesRequest;
    static deserializeBinaryFromReader(message: VolumesRequest, reader: jspb.BinaryReader): VolumesRequest;
}

export namespace VolumesRequest {
    export type AsObject = {
    }
}

export class VolumesReply extends jspb.Message { 
    clearVolumesList(): void;
    getVolumesList(): Array<Volume>;
    setVolumesList(value: Array<Volume>): VolumesReply;
    addVolumes(value?: Volume, index?: number): Volume;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): VolumesReply.AsObject;
    static toObject(includeInstance: boolean, msg: VolumesReply): VolumesReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: VolumesReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): VolumesReply;
    static deserializeBinaryFromReader(message: VolumesReply, reader: jspb.BinaryReader): VolumesReply;
}

export namespace VolumesReply {
    export type AsObject = {
        volumesList: Array<Volume.AsObject>,
    }
}

export class Volume extends jspb.Message { 
    getRoot(): string;
    setRoot(value: string): Volume;
    getChainId(): string;
    setChainId(value: string): Volume;
    getDiffId(): string;
    setDiffId(value: string): Volume;
    getFormat(): string;
    setFormat(value: string): Volume;
    getSizeBytes(): string;
    setSizeBytes(value: string): Volume;
    getBlocks(): number;
    setBlocks(value: number): Volume;
    getBlocksHere(): number;
    setBlocksHere(value: number): Volume;
    getBytesHere(): string;
    setBytesHere(value: string): Volume;
    getComplete(): boolean;
    setComplete(value: boolean): Volume;
    getMounted(): boolean;
    setMounted(value: boolean): Volume;
    getInUse(): boolean;
    setInUse(value: boolean): Volume;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Volume.AsObject;
    static toObject(includeInstance: boolean, msg: Volume): Volume.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Volume, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Volume;
    static deserializeBinaryFromReader(message: Volume, reader: jspb.BinaryReader): Volume;
}

export namespace Volume {
    export type AsObject = {
        root: string,
        chainId: string,
        diffId: string,
        format: string,
        sizeBytes: string,
        blocks: number,
        blocksHere: number,
        bytesHere: string,
        complete: boolean,
        mounted: boolean,
        inUse: boolean,
    }
}
