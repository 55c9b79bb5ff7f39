// package: containerd.services.containers.v1
// file: containerd/services/containers/v1/containers.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as google_protobuf_any_pb from "google-protobuf/google/protobuf/any_pb";
import * as google_protobuf_empty_pb from "google-protobuf/google/protobuf/empty_pb";

export class Container extends jspb.Message { 
    getId(): string;
    setId(value: string): Container;

    getLabelsMap(): jspb.Map<string, string>;
    clearLabelsMap(): void;
    getImage(): string;
    setImage(value: string): Container;

    hasRuntime(): boolean;
    clearRuntime(): void;
    getRuntime(): Container.Runtime | undefined;
    setRuntime(value?: Container.Runtime): Container;

    hasSpec(): boolean;
    clearSpec(): void;
    getSpec(): google_protobuf_any_pb.Any | undefined;
    setSpec(value?: google_protobuf_any_pb.Any): Container;
    getSnapshotter(): string;
    setSnapshotter(value: string): Container;
    getSnapshotKey(): string;
    setSnapshotKey(value: string): Container;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Container.AsObject;
    static toObject(includeInstance: boolean, msg: Container): Container.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Container, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Container;
    static deserializeBinaryFromReader(message: Container, reader: jspb.BinaryReader): Container;
}

export namespace Container {
    export type AsObject = {
        id: string,

        labelsMap: Array<[string, string]>,
        image: string,
        runtime?: Container.Runtime.AsObject,
        spec?: google_protobuf_any_pb.Any.AsObject,
        snapshotter: string,
        snapshotKey: string,
    }


    export class Runtime extends jspb.Message { 
        getName(): string;
        setName(value: string): Runtime;

        hasOptions(): boolean;
        clearOptions(): void;
        getOptions(): google_protobuf_any_pb.Any | undefined;
        setOptions(value?: google_protobuf_any_pb.Any): Runtime;

        serializeBinary(): Uint8Array;
        toObject(includeInstance?: boolean): Runtime.AsObject;
        static toObject(includeInstance: boolean, msg: Runtime): Runtime.AsObject;
        static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
        static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
        static serializeBinaryToWriter(message: Runtime, writer: jspb.BinaryWriter): void;
        static deserializeBinary(bytes: Uint8Array): Runtime;
        static deserializeBinaryFromReader(message: Runtime, reader: jspb.BinaryReader): Runtime;
    }

    export namespace Runtime {
        export type AsObject = {
            name: string,
            options?: google_protobuf_any_pb.Any.AsObject,
        }
    }

}

export class GetContainerRequest extends jspb.Message { 
    getId(): string;
    setId(value: string): GetContainerRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetContainerRequest.AsObject;
    static toObject(includeInstance: boolean, msg: GetContainerRequest): GetContainerRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetContainerRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetContainerRequest;
    static deserializeBinaryFromReader(message: GetContainerRequest, reader: jspb.BinaryReader): GetContainerRequest;
}

export namespace GetContainerRequest {
    export type AsObject = {
        id: string,
    }
}

export class GetContainerResponse extends jspb.Message { 

    hasContainer(): boolean;
    clearContainer(): void;
    getContainer(): Container | undefined;
    setContainer(value?: Container): GetContainerResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetContainerResponse.AsObject;
    static toObject(includeInstance: boolean, msg: GetContainerResponse): GetContainerResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetContainerResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetContainerResponse;
    static deserializeBinaryFromReader(message: GetContainerResponse, reader: jspb.BinaryReader): GetContainerResponse;
}

export namespace GetContainerResponse {
    export type AsObject = {
        container?: Container.AsObject,
    }
}

export class ListContainersRequest extends jspb.Message { 
    clearFiltersList(): void;
    getFiltersList(): Array<string>;
    setFiltersList(value: Array<string>): ListContainersRequest;
    addFilters(value: string, index?: number): string;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListContainersRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ListContainersRequest): ListContainersRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListContainersRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListContainersRequest;
    static deserializeBinaryFromReader(message: ListContainersRequest, reader: jspb.BinaryReader): ListContainersRequest;
}

export namespace ListContainersRequest {
    export type AsObject = {
        filtersList: Array<string>,
    }
}

export class ListContainersResponse extends jspb.Message { 
    clearContainersList(): void;
    getContainersList(): Array<Container>;
    setContainersList(value: Array<Container>): ListContainersResponse;
    addContainers(value?: Container, index?: number): Container;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ListContainersResponse.AsObject;
    static toObject(includeInstance: boolean, msg: ListContainersResponse): ListContainersResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ListContainersResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ListContainersResponse;
    static deserializeBinaryFromReader(message: ListContainersResponse, reader: jspb.BinaryReader): ListContainersResponse;
}

export namespace ListContainersResponse {
    export type AsObject = {
        containersList: Array<Container.AsObject>,
    }
}

export class CreateContainerRequest extends jspb.Message { 

    hasContainer(): boolean;
    clearContainer(): void;
    getContainer(): Container | undefined;
    setContainer(value?: Container): CreateContainerRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CreateContainerRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CreateContainerRequest): CreateContainerRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CreateContainerRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CreateContainerRequest;
    static deserializeBinaryFromReader(message: CreateContainerRequest, reader: jspb.BinaryReader): CreateContainerRequest;
}

export namespace CreateContainerRequest {
    export type AsObject = {
        container?: Container.AsObject,
    }
}

export class CreateContainerResponse extends jspb.Message { 

    hasContainer(): boolean;
    clearContainer(): void;
    getContainer(): Container | undefined;
    setContainer(value?: Container): CreateContainerResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CreateContainerResponse.AsObject;
    static toObject(includeInstance: boolean, msg: CreateContainerResponse): CreateContainerResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CreateContainerResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CreateContainerResponse;
    static deserializeBinaryFromReader(message: CreateContainerResponse, reader: jspb.BinaryReader): CreateContainerResponse;
}

export namespace CreateContainerResponse {
    export type AsObject = {
        container?: Container.AsObject,
    }
}

export class DeleteContainerRequest extends jspb.Message { 
    getId(): string;
    setId(value: string): DeleteContainerRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DeleteContainerRequest.AsObject;
    static toObject(includeInstance: boolean, msg: DeleteContainerRequest): DeleteContainerRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DeleteContainerRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DeleteContainerRequest;
    static deserializeBinaryFromReader(message: DeleteContainerRequest, reader: jspb.BinaryReader): DeleteContainerRequest;
}

export namespace DeleteContainerRequest {
    export type AsObject = {
        id: string,
    }
}
