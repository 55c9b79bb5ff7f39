// package: forage.admin.v1
// file: forage/admin/v1/admin.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as forage_directory_v1_directory_pb from "../../../forage/directory/v1/directory_pb";
import * as forage_peer_v1_peers_pb from "../../../forage/peer/v1/peers_pb";

export class CheckpointsRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointsRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointsRequest): CheckpointsRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointsRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointsRequest;
    static deserializeBinaryFromReader(message: CheckpointsRequest, reader: jspb.BinaryReader): CheckpointsRequest;
}

export namespace CheckpointsRequest {
    export type AsObject = {
    }
}

export class CheckpointsReply extends jspb.Message { 
    clearCheckpointsList(): void;
    getCheckpointsList(): Array<Checkpoint>;
    setCheckpointsList(value: Array<Checkpoint>): CheckpointsReply;
    addCheckpoints(value?: Checkpoint, index?: number): Checkpoint;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointsReply.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointsReply): CheckpointsReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointsReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointsReply;
    static deserializeBinaryFromReader(message: CheckpointsReply, reader: jspb.BinaryReader): CheckpointsReply;
}

export namespace CheckpointsReply {
    export type AsObject = {
        checkpointsList: Array<Checkpoint.AsObject>,
    }
}

export class Checkpoint extends jspb.Message { 
    getId(): string;
    setId(value: string): Checkpoint;
    getImage(): string;
    setImage(value: string): Checkpoint;
    getNode(): string;
    setNode(value: string): Checkpoint;
    getCreatedMs(): string;
    setCreatedMs(value: string): Checkpoint;
    getNamespace(): string;
    setNamespace(value: string): Checkpoint;
    getContainer(): string;
    setContainer(value: string): Checkpoint;
    getMemoryRoot(): string;
    setMemoryRoot(value: string): Checkpoint;
    clearVolumeRootsList(): void;
    getVolumeRootsList(): Array<string>;
    setVolumeRootsList(value: Array<string>): Checkpoint;
    addVolumeRoots(value: string, index?: number): string;
    getMemoryBytes(): string;
    setMemoryBytes(value: string): Checkpoint;
    getFilesBytes(): string;
    setFilesBytes(value: string): Checkpoint;
    getFrozenMs(): number;
    setFrozenMs(value: number): Checkpoint;
    getHereBytes(): string;
    setHereBytes(value: string): Checkpoint;
    getTotalBytes(): string;
    setTotalBytes(value: string): Checkpoint;
    getParent(): string;
    setParent(value: string): Checkpoint;
    getHasWorkingSet(): boolean;
    setHasWorkingSet(value: boolean): Checkpoint;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Checkpoint.AsObject;
    static toObject(includeInstance: boolean, msg: Checkpoint): Checkpoint.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Checkpoint, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Checkpoint;
    static deserializeBinaryFromReader(message: Checkpoint, reader: jspb.BinaryReader): Checkpoint;
}

export namespace Checkpoint {
    export type AsObject = {
        id: string,
        image: string,
        node: string,
        createdMs: string,
        namespace: string,
        container: string,
        memoryRoot: string,
        volumeRootsList: Array<string>,
        memoryBytes: string,
        filesBytes: string,
        frozenMs: number,
        hereBytes: string,
        totalBytes: string,
        parent: string,
        hasWorkingSet: boolean,
    }
}

export class CheckpointRequest extends jspb.Message { 
    getId(): string;
    setId(value: string): CheckpointRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointRequest): CheckpointRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointRequest;
    static deserializeBinaryFromReader(message: CheckpointRequest, reader: jspb.BinaryReader): CheckpointRequest;
}

export namespace CheckpointRequest {
    export type AsObject = {
        id: string,
    }
}

export class CheckpointFileRequest extends jspb.Message { 
    getId(): string;
    setId(value: string): CheckpointFileRequest;
    getFile(): string;
    setFile(value: string): CheckpointFileRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointFileRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointFileRequest): CheckpointFileRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointFileRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointFileRequest;
    static deserializeBinaryFromReader(message: CheckpointFileRequest, reader: jspb.BinaryReader): CheckpointFileRequest;
}

export namespace CheckpointFileRequest {
    export type AsObject = {
        id: string,
        file: string,
    }
}

export class CheckpointFileProgress extends jspb.Message { 
    getId(): string;
    setId(value: string): CheckpointFileProgress;
    getDoneBytes(): string;
    setDoneBytes(value: string): CheckpointFileProgress;
    getTotalBytes(): string;
    setTotalBytes(value: string): CheckpointFileProgress;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointFileProgress.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointFileProgress): CheckpointFileProgress.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointFileProgress, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointFileProgress;
    static deserializeBinaryFromReader(message: CheckpointFileProgress, reader: jspb.BinaryReader): CheckpointFileProgress;
}

export namespace CheckpointFileProgress {
    export type AsObject = {
        id: string,
        doneBytes: string,
        totalBytes: string,
    }
}

export class InspectCheckpointReply extends jspb.Message { 

    hasCheckpoint(): boolean;
    clearCheckpoint(): void;
    getCheckpoint(): Checkpoint | undefined;
    setCheckpoint(value?: Checkpoint): InspectCheckpointReply;
    getDocument(): string;
    setDocument(value: string): InspectCheckpointReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): InspectCheckpointReply.AsObject;
    static toObject(includeInstance: boolean, msg: InspectCheckpointReply): InspectCheckpointReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: InspectCheckpointReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): InspectCheckpointReply;
    static deserializeBinaryFromReader(message: InspectCheckpointReply, reader: jspb.BinaryReader): InspectCheckpointReply;
}

export namespace InspectCheckpointReply {
    export type AsObject = {
        checkpoint?: Checkpoint.AsObject,
        document: string,
    }
}

export class RemoveCheckpointReply extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RemoveCheckpointReply.AsObject;
    static toObject(includeInstance: boolean, msg: RemoveCheckpointReply): RemoveCheckpointReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RemoveCheckpointReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RemoveCheckpointReply;
    static deserializeBinaryFromReader(message: RemoveCheckpointReply, reader: jspb.BinaryReader): RemoveCheckpointReply;
}

export namespace RemoveCheckpointReply {
    export type AsObject = {
    }
}

export class CheckpointStage extends jspb.Message { 
    getStage(): string;
    setStage(value: string): CheckpointStage;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CheckpointStage.AsObject;
    static toObject(includeInstance: boolean, msg: CheckpointStage): CheckpointStage.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CheckpointStage, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CheckpointStage;
    static deserializeBinaryFromReader(message: CheckpointStage, reader: jspb.BinaryReader): CheckpointStage;
}

export namespace CheckpointStage {
    export type AsObject = {
        stage: string,
    }
}

export class RestoreRequest extends jspb.Message { 
    getCheckpoint(): string;
    setCheckpoint(value: string): RestoreRequest;
    getNamespace(): string;
    setNamespace(value: string): RestoreRequest;
    getContainer(): string;
    setContainer(value: string): RestoreRequest;
    getNode(): string;
    setNode(value: string): RestoreRequest;
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
        node: string,
        whole: boolean,
        prepare: boolean,
        fallback: string,
        follow: boolean,
    }
}

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

export class PeersRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PeersRequest.AsObject;
    static toObject(includeInstance: boolean, msg: PeersRequest): PeersRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PeersRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PeersRequest;
    static deserializeBinaryFromReader(message: PeersRequest, reader: jspb.BinaryReader): PeersRequest;
}

export namespace PeersRequest {
    export type AsObject = {
    }
}

export class PeersReply extends jspb.Message { 
    clearMembersList(): void;
    getMembersList(): Array<Member>;
    setMembersList(value: Array<Member>): PeersReply;
    addMembers(value?: Member, index?: number): Member;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PeersReply.AsObject;
    static toObject(includeInstance: boolean, msg: PeersReply): PeersReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PeersReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PeersReply;
    static deserializeBinaryFromReader(message: PeersReply, reader: jspb.BinaryReader): PeersReply;
}

export namespace PeersReply {
    export type AsObject = {
        membersList: Array<Member.AsObject>,
    }
}

export class Member extends jspb.Message { 
    getName(): string;
    setName(value: string): Member;
    getAddress(): string;
    setAddress(value: string): Member;
    getState(): string;
    setState(value: string): Member;
    getDraining(): boolean;
    setDraining(value: boolean): Member;
    getLink(): string;
    setLink(value: string): Member;
    getRttMs(): number;
    setRttMs(value: number): Member;
    getBytesPerSecond(): number;
    setBytesPerSecond(value: number): Member;
    getCapacityBytes(): string;
    setCapacityBytes(value: string): Member;
    getOwnedShare(): number;
    setOwnedShare(value: number): Member;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Member.AsObject;
    static toObject(includeInstance: boolean, msg: Member): Member.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Member, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Member;
    static deserializeBinaryFromReader(message: Member, reader: jspb.BinaryReader): Member;
}

export namespace Member {
    export type AsObject = {
        name: string,
        address: string,
        state: string,
        draining: boolean,
        link: string,
        rttMs: number,
        bytesPerSecond: number,
        capacityBytes: string,
        ownedShare: number,
    }
}

export class ImagesRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ImagesRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ImagesRequest): ImagesRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ImagesRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ImagesRequest;
    static deserializeBinaryFromReader(message: ImagesRequest, reader: jspb.BinaryReader): ImagesRequest;
}

export namespace ImagesRequest {
    export type AsObject = {
    }
}

export class ImagesReply extends jspb.Message { 
    clearImagesList(): void;
    getImagesList(): Array<Image>;
    setImagesList(value: Array<Image>): ImagesReply;
    addImages(value?: Image, index?: number): Image;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ImagesReply.AsObject;
    static toObject(includeInstance: boolean, msg: ImagesReply): ImagesReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ImagesReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ImagesReply;
    static deserializeBinaryFromReader(message: ImagesReply, reader: jspb.BinaryReader): ImagesReply;
}

export namespace ImagesReply {
    export type AsObject = {
        imagesList: Array<Image.AsObject>,
    }
}

export class Image extends jspb.Message { 
    getName(): string;
    setName(value: string): Image;
    getDigest(): string;
    setDigest(value: string): Image;
    getCreatedMs(): string;
    setCreatedMs(value: string): Image;
    clearNodesList(): void;
    getNodesList(): Array<string>;
    setNodesList(value: Array<string>): Image;
    addNodes(value: string, index?: number): string;
    getLayers(): number;
    setLayers(value: number): Image;
    getVolumes(): number;
    setVolumes(value: number): Image;
    getBlockBytes(): string;
    setBlockBytes(value: string): Image;
    getBytesHere(): string;
    setBytesHere(value: string): Image;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Image.AsObject;
    static toObject(includeInstance: boolean, msg: Image): Image.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Image, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Image;
    static deserializeBinaryFromReader(message: Image, reader: jspb.BinaryReader): Image;
}

export namespace Image {
    export type AsObject = {
        name: string,
        digest: string,
        createdMs: string,
        nodesList: Array<string>,
        layers: number,
        volumes: number,
        blockBytes: string,
        bytesHere: string,
    }
}

export class RemoveImageRequest extends jspb.Message { 
    getName(): string;
    setName(value: string): RemoveImageRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RemoveImageRequest.AsObject;
    static toObject(includeInstance: boolean, msg: RemoveImageRequest): RemoveImageRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RemoveImageRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RemoveImageRequest;
    static deserializeBinaryFromReader(message: RemoveImageRequest, reader: jspb.BinaryReader): RemoveImageRequest;
}

export namespace RemoveImageRequest {
    export type AsObject = {
        name: string,
    }
}

export class RemoveImageReply extends jspb.Message { 
    getName(): string;
    setName(value: string): RemoveImageReply;
    getLayersFreed(): number;
    setLayersFreed(value: number): RemoveImageReply;
    getLayersShared(): number;
    setLayersShared(value: number): RemoveImageReply;
    clearStillUsedByList(): void;
    getStillUsedByList(): Array<string>;
    setStillUsedByList(value: Array<string>): RemoveImageReply;
    addStillUsedBy(value: string, index?: number): string;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RemoveImageReply.AsObject;
    static toObject(includeInstance: boolean, msg: RemoveImageReply): RemoveImageReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RemoveImageReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RemoveImageReply;
    static deserializeBinaryFromReader(message: RemoveImageReply, reader: jspb.BinaryReader): RemoveImageReply;
}

export namespace RemoveImageReply {
    export type AsObject = {
        name: string,
        layersFreed: number,
        layersShared: number,
        stillUsedByList: Array<string>,
    }
}

export class CollectRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CollectRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CollectRequest): CollectRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CollectRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CollectRequest;
    static deserializeBinaryFromReader(message: CollectRequest, reader: jspb.BinaryReader): CollectRequest;
}

export namespace CollectRequest {
    export type AsObject = {
    }
}

export class CollectReply extends jspb.Message { 

    hasRemoved(): boolean;
    clearRemoved(): void;
    getRemoved(): Blocks | undefined;
    setRemoved(value?: Blocks): CollectReply;

    hasLeft(): boolean;
    clearLeft(): void;
    getLeft(): Blocks | undefined;
    setLeft(value?: Blocks): CollectReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CollectReply.AsObject;
    static toObject(includeInstance: boolean, msg: CollectReply): CollectReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CollectReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CollectReply;
    static deserializeBinaryFromReader(message: CollectReply, reader: jspb.BinaryReader): CollectReply;
}

export namespace CollectReply {
    export type AsObject = {
        removed?: Blocks.AsObject,
        left?: Blocks.AsObject,
    }
}

export class DrainRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DrainRequest.AsObject;
    static toObject(includeInstance: boolean, msg: DrainRequest): DrainRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DrainRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DrainRequest;
    static deserializeBinaryFromReader(message: DrainRequest, reader: jspb.BinaryReader): DrainRequest;
}

export namespace DrainRequest {
    export type AsObject = {
    }
}

export class Progress extends jspb.Message { 
    getDoneBlocks(): string;
    setDoneBlocks(value: string): Progress;
    getTotalBlocks(): string;
    setTotalBlocks(value: string): Progress;
    getDoneBytes(): string;
    setDoneBytes(value: string): Progress;
    getTotalBytes(): string;
    setTotalBytes(value: string): Progress;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Progress.AsObject;
    static toObject(includeInstance: boolean, msg: Progress): Progress.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Progress, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Progress;
    static deserializeBinaryFromReader(message: Progress, reader: jspb.BinaryReader): Progress;
}

export namespace Progress {
    export type AsObject = {
        doneBlocks: string,
        totalBlocks: string,
        doneBytes: string,
        totalBytes: string,
    }
}

export class UndrainRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): UndrainRequest.AsObject;
    static toObject(includeInstance: boolean, msg: UndrainRequest): UndrainRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: UndrainRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): UndrainRequest;
    static deserializeBinaryFromReader(message: UndrainRequest, reader: jspb.BinaryReader): UndrainRequest;
}

export namespace UndrainRequest {
    export type AsObject = {
    }
}

export class UndrainReply extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): UndrainReply.AsObject;
    static toObject(includeInstance: boolean, msg: UndrainReply): UndrainReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: UndrainReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): UndrainReply;
    static deserializeBinaryFromReader(message: UndrainReply, reader: jspb.BinaryReader): UndrainReply;
}

export namespace UndrainReply {
    export type AsObject = {
    }
}

export class PrefetchRequest extends jspb.Message { 
    getImage(): string;
    setImage(value: string): PrefetchRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PrefetchRequest.AsObject;
    static toObject(includeInstance: boolean, msg: PrefetchRequest): PrefetchRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PrefetchRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PrefetchRequest;
    static deserializeBinaryFromReader(message: PrefetchRequest, reader: jspb.BinaryReader): PrefetchRequest;
}

export namespace PrefetchRequest {
    export type AsObject = {
        image: string,
    }
}

export class RevokeRequest extends jspb.Message { 

    hasRecord(): boolean;
    clearRecord(): void;
    getRecord(): forage_directory_v1_directory_pb.Record | undefined;
    setRecord(value?: forage_directory_v1_directory_pb.Record): RevokeRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RevokeRequest.AsObject;
    static toObject(includeInstance: boolean, msg: RevokeRequest): RevokeRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RevokeRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RevokeRequest;
    static deserializeBinaryFromReader(message: RevokeRequest, reader: jspb.BinaryReader): RevokeRequest;
}

export namespace RevokeRequest {
    export type AsObject = {
        record?: forage_directory_v1_directory_pb.Record.AsObject,
    }
}

export class RevokeReply extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RevokeReply.AsObject;
    static toObject(includeInstance: boolean, msg: RevokeReply): RevokeReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RevokeReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RevokeReply;
    static deserializeBinaryFromReader(message: RevokeReply, reader: jspb.BinaryReader): RevokeReply;
}

export namespace RevokeReply {
    export type AsObject = {
    }
}

export class VerifyRequest extends jspb.Message { 
    getLayer(): string;
    setLayer(value: string): VerifyRequest;
    getFile(): string;
    setFile(value: string): VerifyRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): VerifyRequest.AsObject;
    static toObject(includeInstance: boolean, msg: VerifyRequest): VerifyRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: VerifyRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): VerifyRequest;
    static deserializeBinaryFromReader(message: VerifyRequest, reader: jspb.BinaryReader): VerifyRequest;
}

export namespace VerifyRequest {
    export type AsObject = {
        layer: string,
        file: string,
    }
}

export class VerifyReply extends jspb.Message { 
    getChainId(): string;
    setChainId(value: string): VerifyReply;
    getDiffId(): string;
    setDiffId(value: string): VerifyReply;
    getRoot(): string;
    setRoot(value: string): VerifyReply;
    getFormat(): string;
    setFormat(value: string): VerifyReply;
    getDerivedRoot(): string;
    setDerivedRoot(value: string): VerifyReply;
    clearIngestedByList(): void;
    getIngestedByList(): Array<string>;
    setIngestedByList(value: Array<string>): VerifyReply;
    addIngestedBy(value: string, index?: number): string;
    getMatches(): boolean;
    setMatches(value: boolean): VerifyReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): VerifyReply.AsObject;
    static toObject(includeInstance: boolean, msg: VerifyReply): VerifyReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: VerifyReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): VerifyReply;
    static deserializeBinaryFromReader(message: VerifyReply, reader: jspb.BinaryReader): VerifyReply;
}

export namespace VerifyReply {
    export type AsObject = {
        chainId: string,
        diffId: string,
        root: string,
        format: string,
        derivedRoot: string,
        ingestedByList: Array<string>,
        matches: boolean,
    }
}
