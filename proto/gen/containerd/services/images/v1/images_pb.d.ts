// package: containerd.services.images.v1
// file: containerd/services/images/v1/images.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as containerd_types_descriptor_pb from "../../../../containerd/types/descriptor_pb";
import * as google_protobuf_timestamp_pb from "google-protobuf/google/protobuf/timestamp_pb";

export class Image extends jspb.Message { 
    getName(): string;
    setName(value: string): Image;

    hasTarget(): boolean;
    clearTarget(): void;
    getTarget(): containerd_types_descriptor_pb.Descriptor | undefined;
    setTarget(value?: containerd_types_descriptor_pb.Descriptor): Image;

    hasUpdatedAt(): boolean;
    clearUpdatedAt(): void;
    getUpdatedAt(): google_protobuf_timestamp_pb.Timestamp | undefined;
    setUpdatedAt(value?: google_protobuf_timestamp_pb.Timestamp): Image;

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
        target?: containerd_types_descriptor_pb.Descriptor.AsObject,
        updatedAt?: google_protobuf_timestamp_pb.Timestamp.AsObject,
    }
}

export class ListImagesRequest extends jspb.Message { 
    clearFiltersList(): void;
    getFiltersList(): Array<string>;
    setFiltersList(value: Array<string>): ListImagesRequest;
    addFilters(value: string, index?: number): string;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListImagesRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ListImagesRequest): ListImagesRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListImagesRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListImagesRequest;
    static deserializeBinaryFromReader(message: ListImagesRequest, reader: jspb.BinaryReader): ListImagesRequest;
}

export namespace ListImagesRequest {
    export type AsObject = {
        filtersList: Array<string>,
    }
}

export class ListImagesResponse extends jspb.Message { 
    clearImagesList(): void;
    getImagesList(): Array<Image>;
    setImagesList(value: Array<Image>): ListImagesResponse;
    addImages(value?: Image, index?: number): Image;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListImagesResponse.AsObject;
    static toObject(includeInstance: boolean, msg: ListImagesResponse): ListImagesResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListImagesResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListImagesResponse;
    static deserializeBinaryFromReader(message: ListImagesResponse, reader: jspb.BinaryReader): ListImagesResponse;
}

export namespace ListImagesResponse {
    export type AsObject = {
        imagesList: Array<Image.AsObject>,
    }
}
