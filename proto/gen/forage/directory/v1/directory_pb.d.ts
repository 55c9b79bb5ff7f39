// package: forage.directory.v1
// file: forage/directory/v1/directory.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as forage_peer_v1_peers_pb from "../../../forage/peer/v1/peers_pb";

export class Record extends jspb.Message { 
    getBody(): Uint8Array | string;
    getBody_asU8(): Uint8Array;
    getBody_asB64(): string;
    setBody(value: Uint8Array | string): Record;
    getCertificate(): Uint8Array | string;
    getCertificate_asU8(): Uint8Array;
    getCertificate_asB64(): string;
    setCertificate(value: Uint8Array | string): Record;
    getSignature(): Uint8Array | string;
    getSignature_asU8(): Uint8Array;
    getSignature_asB64(): string;
    setSignature(value: Uint8Array | string): Record;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Record.AsObject;
    static toObject(includeInstance: boolean, msg: Record): Record.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Record, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Record;
    static deserializeBinaryFromReader(message: Record, reader: jspb.BinaryReader): Record;
}

export namespace Record {
    export type AsObject = {
        body: Uint8Array | string,
        certificate: Uint8Array | string,
        signature: Uint8Array | string,
    }
}

export class Body extends jspb.Message { 
    getNode(): string;
    setNode(value: string): Body;
    getCreatedMs(): string;
    setCreatedMs(value: string): Body;

    hasLayer(): boolean;
    clearLayer(): void;
    getLayer(): forage_peer_v1_peers_pb.LayerRecord | undefined;
    setLayer(value?: forage_peer_v1_peers_pb.LayerRecord): Body;

    hasCheckpoint(): boolean;
    clearCheckpoint(): void;
    getCheckpoint(): Checkpoint | undefined;
    setCheckpoint(value?: Checkpoint): Body;

    hasRef(): boolean;
    clearRef(): void;
    getRef(): Ref | undefined;
    setRef(value?: Ref): Body;

    hasRemoval(): boolean;
    clearRemoval(): void;
    getRemoval(): Removal | undefined;
    setRemoval(value?: Removal): Body;

    hasRevocation(): boolean;
    clearRevocation(): void;
    getRevocation(): Revocation | undefined;
    setRevocation(value?: Revocation): Body;

    getContentCase(): Body.ContentCase;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Body.AsObject;
    static toObject(includeInstance: boolean, msg: Body): Body.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Body, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Body;
    static deserializeBinaryFromReader(message: Body, reader: jspb.BinaryReader): Body;
}

export namespace Body {
    export type AsObject = {
        node: string,
        createdMs: string,
        layer?: forage_peer_v1_peers_pb.LayerRecord.AsObject,
        checkpoint?: Checkpoint.AsObject,
        ref?: Ref.AsObject,
        removal?: Removal.AsObject,
        revocation?: Revocation.AsObject,
    }

    export enum ContentCase {
        CONTENT_NOT_SET = 0,
        LAYER = 3,
        CHECKPOINT = 4,
        REF = 5,
        REMOVAL = 6,
        REVOCATION = 7,
    }

}

export class Checkpoint extends jspb.Message { 
    getId(): string;
    setId(value: string): Checkpoint;
    getImage(): string;
    setImage(value: string): Checkpoint;

    hasDocument(): boolean;
    clearDocument(): void;
    getDocument(): Content | undefined;
    setDocument(value?: Content): Checkpoint;
    getVolumeRoots(): Uint8Array | string;
    getVolumeRoots_asU8(): Uint8Array;
    getVolumeRoots_asB64(): string;
    setVolumeRoots(value: Uint8Array | string): Checkpoint;
    getMemoryRoot(): Uint8Array | string;
    getMemoryRoot_asU8(): Uint8Array;
    getMemoryRoot_asB64(): string;
    setMemoryRoot(value: Uint8Array | string): Checkpoint;

    hasWorkingSet(): boolean;
    clearWorkingSet(): void;
    getWorkingSet(): Content | undefined;
    setWorkingSet(value?: Content): Checkpoint;
    getRepeats(): Uint8Array | string;
    getRepeats_asU8(): Uint8Array;
    getRepeats_asB64(): string;
    setRepeats(value: Uint8Array | string): Checkpoint;

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
        document?: Content.AsObject,
        volumeRoots: Uint8Array | string,
        memoryRoot: Uint8Array | string,
        workingSet?: Content.AsObject,
        repeats: Uint8Array | string,
    }
}

export class Ref extends jspb.Message { 
    getImage(): string;
    setImage(value: string): Ref;

    hasManifest(): boolean;
    clearManifest(): void;
    getManifest(): Content | undefined;
    setManifest(value?: Content): Ref;

    hasConfig(): boolean;
    clearConfig(): void;
    getConfig(): Content | undefined;
    setConfig(value?: Content): Ref;
    getChainIds(): Uint8Array | string;
    getChainIds_asU8(): Uint8Array;
    getChainIds_asB64(): string;
    setChainIds(value: Uint8Array | string): Ref;

    hasIndex(): boolean;
    clearIndex(): void;
    getIndex(): Content | undefined;
    setIndex(value?: Content): Ref;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Ref.AsObject;
    static toObject(includeInstance: boolean, msg: Ref): Ref.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Ref, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Ref;
    static deserializeBinaryFromReader(message: Ref, reader: jspb.BinaryReader): Ref;
}

export namespace Ref {
    export type AsObject = {
        image: string,
        manifest?: Content.AsObject,
        config?: Content.AsObject,
        chainIds: Uint8Array | string,
        index?: Content.AsObject,
    }
}

export class Content extends jspb.Message { 
    getDigest(): Uint8Array | string;
    getDigest_asU8(): Uint8Array;
    getDigest_asB64(): string;
    setDigest(value: Uint8Array | string): Content;
    getSizeBytes(): number;
    setSizeBytes(value: number): Content;
    getMediaType(): string;
    setMediaType(value: string): Content;
    getBlocks(): Uint8Array | string;
    getBlocks_asU8(): Uint8Array;
    getBlocks_asB64(): string;
    setBlocks(value: Uint8Array | string): Content;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Content.AsObject;
    static toObject(includeInstance: boolean, msg: Content): Content.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Content, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Content;
    static deserializeBinaryFromReader(message: Content, reader: jspb.BinaryReader): Content;
}

export namespace Content {
    export type AsObject = {
        digest: Uint8Array | string,
        sizeBytes: number,
        mediaType: string,
        blocks: Uint8Array | string,
    }
}

export class Removal extends jspb.Message { 
    getImage(): string;
    setImage(value: string): Removal;
    getChainIds(): Uint8Array | string;
    getChainIds_asU8(): Uint8Array;
    getChainIds_asB64(): string;
    setChainIds(value: Uint8Array | string): Removal;
    getRecordIds(): Uint8Array | string;
    getRecordIds_asU8(): Uint8Array;
    getRecordIds_asB64(): string;
    setRecordIds(value: Uint8Array | string): Removal;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Removal.AsObject;
    static toObject(includeInstance: boolean, msg: Removal): Removal.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Removal, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Removal;
    static deserializeBinaryFromReader(message: Removal, reader: jspb.BinaryReader): Removal;
}

export namespace Removal {
    export type AsObject = {
        image: string,
        chainIds: Uint8Array | string,
        recordIds: Uint8Array | string,
    }
}

export class Revocation extends jspb.Message { 
    getKey(): Uint8Array | string;
    getKey_asU8(): Uint8Array;
    getKey_asB64(): string;
    setKey(value: Uint8Array | string): Revocation;
    getNode(): string;
    setNode(value: string): Revocation;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Revocation.AsObject;
    static toObject(includeInstance: boolean, msg: Revocation): Revocation.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Revocation, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Revocation;
    static deserializeBinaryFromReader(message: Revocation, reader: jspb.BinaryReader): Revocation;
}

export namespace Revocation {
    export type AsObject = {
        key: Uint8Array | string,
        node: string,
    }
}

export class DigestRequest extends jspb.Message { 

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DigestRequest.AsObject;
    static toObject(includeInstance: boolean, msg: DigestRequest): DigestRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DigestRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DigestRequest;
    static deserializeBinaryFromReader(message: DigestRequest, reader: jspb.BinaryReader): DigestRequest;
}

export namespace DigestRequest {
    export type AsObject = {
    }
}

export class DigestReply extends jspb.Message { 
    getDigests(): Uint8Array | string;
    getDigests_asU8(): Uint8Array;
    getDigests_asB64(): string;
    setDigests(value: Uint8Array | string): DigestReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DigestReply.AsObject;
    static toObject(includeInstance: boolean, msg: DigestReply): DigestReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DigestReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DigestReply;
    static deserializeBinaryFromReader(message: DigestReply, reader: jspb.BinaryReader): DigestReply;
}

export namespace DigestReply {
    export type AsObject = {
        digests: Uint8Array | string,
    }
}

export class IdsRequest extends jspb.Message { 
    getBuckets(): Uint8Array | string;
    getBuckets_asU8(): Uint8Array;
    getBuckets_asB64(): string;
    setBuckets(value: Uint8Array | string): IdsRequest;
    getAfter(): Uint8Array | string;
    getAfter_asU8(): Uint8Array;
    getAfter_asB64(): string;
    setAfter(value: Uint8Array | string): IdsRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): IdsRequest.AsObject;
    static toObject(includeInstance: boolean, msg: IdsRequest): IdsRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: IdsRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): IdsRequest;
    static deserializeBinaryFromReader(message: IdsRequest, reader: jspb.BinaryReader): IdsRequest;
}

export namespace IdsRequest {
    export type AsObject = {
        buckets: Uint8Array | string,
        after: Uint8Array | string,
    }
}

export class IdsReply extends jspb.Message { 
    getIds(): Uint8Array | string;
    getIds_asU8(): Uint8Array;
    getIds_asB64(): string;
    setIds(value: Uint8Array | string): IdsReply;
    getMore(): boolean;
    setMore(value: boolean): IdsReply;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): IdsReply.AsObject;
    static toObject(includeInstance: boolean, msg: IdsReply): IdsReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: IdsReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): IdsReply;
    static deserializeBinaryFromReader(message: IdsReply, reader: jspb.BinaryReader): IdsReply;
}

export namespace IdsReply {
    export type AsObject = {
        ids: Uint8Array | string,
        more: boolean,
    }
}

export class RecordsRequest extends jspb.Message { 
    getIds(): Uint8Array | string;
    getIds_asU8(): Uint8Array;
    getIds_asB64(): string;
    setIds(value: Uint8Array | string): RecordsRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RecordsRequest.AsObject;
    static toObject(includeInstance: boolean, msg: RecordsRequest): RecordsRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RecordsRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RecordsRequest;
    static deserializeBinaryFromReader(message: RecordsRequest, reader: jspb.BinaryReader): RecordsRequest;
}

export namespace RecordsRequest {
    export type AsObject = {
        ids: Uint8Array | string,
    }
}

export class RecordsReply extends jspb.Message { 
    clearRecordsList(): void;
    getRecordsList(): Array<Record>;
    setRecordsList(value: Array<Record>): RecordsReply;
    addRecords(value?: Record, index?: number): Record;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): RecordsReply.AsObject;
    static toObject(includeInstance: boolean, msg: RecordsReply): RecordsReply.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: RecordsReply, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): RecordsReply;
    static deserializeBinaryFromReader(message: RecordsReply, reader: jspb.BinaryReader): RecordsReply;
}

export namespace RecordsReply {
    export type AsObject = {
        recordsList: Array<Record.AsObject>,
    }
}

export class LayersRequest extends jspb.Message { 
    getChainIds(): Uint8Array | string;
    getChainIds_asU8(): Uint8Array;
    getChainIds_asB64(): string;
    setChainIds(value: Uint8Array | string): LayersRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): LayersRequest.AsObject;
    static toObject(includeInstance: boolean, msg: LayersRequest): LayersRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: LayersRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): LayersRequest;
    static deserializeBinaryFromReader(message: LayersRequest, reader: jspb.BinaryReader): LayersRequest;
}

export namespace LayersRequest {
    export type AsObject = {
        chainIds: Uint8Array | string,
    }
}
