// package: containerd.services.content.v1
// file: containerd/services/content/v1/content.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as google_protobuf_empty_pb from "google-protobuf/google/protobuf/empty_pb";
import * as google_protobuf_timestamp_pb from "google-protobuf/google/protobuf/timestamp_pb";

export class Info extends jspb.Message { 
    getDigest(): string;
    setDigest(value: string): Info;
    getSize(): string;
    setSize(value: string): Info;

    hasCreatedAt(): boolean;
    clearCreatedAt(): void;
    getCreatedAt(): google_protobuf_timestamp_pb.Timestamp | undefined;
    setCreatedAt(value?: google_protobuf_timestamp_pb.Timestamp): Info;

    hasUpdatedAt(): boolean;
    clearUpdatedAt(): void;
    getUpdatedAt(): google_protobuf_timestamp_pb.Timestamp | undefined;
    setUpdatedAt(value?: google_protobuf_timestamp_pb.Timestamp): Info;

    getLabelsMap(): jspb.Map<string, string>;
    clearLabelsMap(): void;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Info.AsObject;
    static toObject(includeInstance: boolean, msg: Info): Info.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Info, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Info;
    static deserializeBinaryFromReader(message: Info, reader: jspb.BinaryReader): Info;
}

export namespace Info {
    export type AsObject = {
        digest: string,
        size: string,
        createdAt?: google_protobuf_timestamp_pb.Timestamp.AsObject,
        updatedAt?: google_protobuf_timestamp_pb.Timestamp.AsObject,

        labelsMap: Array<[string, string]>,
    }
}

export class InfoRequest extends jspb.Message { 
    getDigest(): string;
    setDigest(value: string): InfoRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): InfoRequest.AsObject;
    static toObject(includeInstance: boolean, msg: InfoRequest): InfoRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: InfoRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): InfoRequest;
    static deserializeBinaryFromReader(message: InfoRequest, reader: jspb.BinaryReader): InfoRequest;
}

export namespace InfoRequest {
    export type AsObject = {
        digest: string,
    }
}

export class InfoResponse extends jspb.Message { 

    hasInfo(): boolean;
    clearInfo(): void;
    getInfo(): Info | undefined;
    setInfo(value?: Info): InfoResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): InfoResponse.AsObject;
    static toObject(includeInstance: boolean, msg: InfoResponse): InfoResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: InfoResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): InfoResponse;
    static deserializeBinaryFromReader(message: InfoResponse, reader: jspb.BinaryReader): InfoResponse;
}

export namespace InfoResponse {
    export type AsObject = {
        info?: Info.AsObject,
    }
}

export class ListContentRequest extends jspb.Message { 
    clearFiltersList(): void;
    getFiltersList(): Array<string>;
    setFiltersList(value: Array<string>): ListContentRequest;
    addFilters(value: string, index?: number): string;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListContentRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ListContentRequest): ListContentRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListContentRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListContentRequest;
    static deserializeBinaryFromReader(message: ListContentRequest, reader: jspb.BinaryReader): ListContentRequest;
}

export namespace ListContentRequest {
    export type AsObject = {
        filtersList: Array<string>,
    }
}

export class ListContentResponse extends jspb.Message { 
    clearInfoList(): void;
    getInfoList(): Array<Info>;
    setInfoList(value: Array<Info>): ListContentResponse;
    addInfo(value?: Info, index?: number): Info;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListContentResponse.AsObject;
    static toObject(includeInstance: boolean, msg: ListContentResponse): ListContentResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListContentResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListContentResponse;
    static deserializeBinaryFromReader(message: ListContentResponse, reader: jspb.BinaryReader): ListContentResponse;
}

export namespace ListContentResponse {
    export type AsObject = {
        infoList: Array<Info.AsObject>,
    }
}

export class DeleteContentRequest extends jspb.Message { 
    getDigest(): string;
    setDigest(value: string): DeleteContentRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DeleteContentRequest.AsObject;
    static toObject(includeInstance: boolean, msg: DeleteContentRequest): DeleteContentRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DeleteContentRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DeleteContentRequest;
    static deserializeBinaryFromReader(message: DeleteContentRequest, reader: jspb.BinaryReader): DeleteContentRequest;
}

export namespace DeleteContentRequest {
    export type AsObject = {
        digest: string,
    }
}

export class ReadContentRequest extends jspb.Message { 
    getDigest(): string;
    setDigest(value: string): ReadContentRequest;
    getOffset(): string;
    setOffset(value: string): ReadContentRequest;
    getSize(): string;
    setSize(value: string): ReadContentRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ReadContentRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ReadContentRequest): ReadContentRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ReadContentRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ReadContentRequest;
    static deserializeBinaryFromReader(message: ReadContentRequest, reader: jspb.BinaryReader): ReadContentRequest;
}

export namespace ReadContentRequest {
    export type AsObject = {
        digest: string,
        offset: string,
        size: string,
    }
}

export class ReadContentResponse extends jspb.Message { 
    getOffset(): string;
    setOffset(value: string): ReadContentResponse;
    getData(): Uint8Array | string;
    getData_asU8(): Uint8Array;
    getData_asB64(): string;
    setData(value: Uint8Array | string): ReadContentResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ReadContentResponse.AsObject;
    static toObject(includeInstance: boolean, msg: ReadContentResponse): ReadContentResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ReadContentResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ReadContentResponse;
    static deserializeBinaryFromReader(message: ReadContentResponse, reader: jspb.BinaryReader): ReadContentResponse;
}

export namespace ReadContentResponse {
    export type AsObject = {
        offset: string,
        data: Uint8Array | string,
    }
}
