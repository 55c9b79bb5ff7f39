// package: containerd.services.tasks.v1
// file: containerd/services/tasks/v1/tasks.proto

/* tslint:disable */
/* eslint-disable */

import * as jspb from "google-protobuf";
import * as containerd_types_mount_pb from "../../../../containerd/types/mount_pb";
import * as google_protobuf_any_pb from "google-protobuf/google/protobuf/any_pb";
import * as google_protobuf_empty_pb from "google-protobuf/google/protobuf/empty_pb";

export class CreateTaskRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): CreateTaskRequest;
    clearRootfsList(): void;
    getRootfsList(): Array<containerd_types_mount_pb.Mount>;
    setRootfsList(value: Array<containerd_types_mount_pb.Mount>): CreateTaskRequest;
    addRootfs(value?: containerd_types_mount_pb.Mount, index?: number): containerd_types_mount_pb.Mount;
    getStdin(): string;
    setStdin(value: string): CreateTaskRequest;
    getStdout(): string;
    setStdout(value: string): CreateTaskRequest;
    getStderr(): string;
    setStderr(value: string): CreateTaskRequest;
    getTerminal(): boolean;
    setTerminal(value: boolean): CreateTaskRequest;

    hasOptions(): boolean;
    clearOptions(): void;
    getOptions(): google_protobuf_any_pb.Any | undefined;
    setOptions(value?: google_protobuf_any_pb.Any): CreateTaskRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CreateTaskRequest.AsObject;
    static toObject(includeInstance: boolean, msg: CreateTaskRequest): CreateTaskRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CreateTaskRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CreateTaskRequest;
    static deserializeBinaryFromReader(message: CreateTaskRequest, reader: jspb.BinaryReader): CreateTaskRequest;
}

export namespace CreateTaskRequest {
    export type AsObject = {
        containerId: string,
        rootfsList: Array<containerd_types_mount_pb.Mount.AsObject>,
        stdin: string,
        stdout: string,
        stderr: string,
        terminal: boolean,
        options?: google_protobuf_any_pb.Any.AsObject,
    }
}

export class CreateTaskResponse extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): CreateTaskResponse;
    getPid(): number;
    setPid(value: number): CreateTaskResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): CreateTaskResponse.AsObject;
    static toObject(includeInstance: boolean, msg: CreateTaskResponse): CreateTaskResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: CreateTaskResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): CreateTaskResponse;
    static deserializeBinaryFromReader(message: CreateTaskResponse, reader: jspb.BinaryReader): CreateTaskResponse;
}

export namespace CreateTaskResponse {
    export type AsObject = {
        containerId: string,
        pid: number,
    }
}

export class StartRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): StartRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): StartRequest.AsObject;
    static toObject(includeInstance: boolean, msg: StartRequest): StartRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: StartRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): StartRequest;
    static deserializeBinaryFromReader(message: StartRequest, reader: jspb.BinaryReader): StartRequest;
}

export namespace StartRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class StartResponse extends jspb.Message { 
    getPid(): number;
    setPid(value: number): StartResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): StartResponse.AsObject;
    static toObject(includeInstance: boolean, msg: StartResponse): StartResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: StartResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): StartResponse;
    static deserializeBinaryFromReader(message: StartResponse, reader: jspb.BinaryReader): StartResponse;
}

export namespace StartResponse {
    export type AsObject = {
        pid: number,
    }
}

export class DeleteTaskRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): DeleteTaskRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DeleteTaskRequest.AsObject;
    static toObject(includeInstance: boolean, msg: DeleteTaskRequest): DeleteTaskRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DeleteTaskRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DeleteTaskRequest;
    static deserializeBinaryFromReader(message: DeleteTaskRequest, reader: jspb.BinaryReader): DeleteTaskRequest;
}

export namespace DeleteTaskRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class DeleteResponse extends jspb.Message { 
    getExitStatus(): number;
    setExitStatus(value: number): DeleteResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): DeleteResponse.AsObject;
    static toObject(includeInstance: boolean, msg: DeleteResponse): DeleteResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: DeleteResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): DeleteResponse;
    static deserializeBinaryFromReader(message: DeleteResponse, reader: jspb.BinaryReader): DeleteResponse;
}

export namespace DeleteResponse {
    export type AsObject = {
        exitStatus: number,
    }
}

export class GetRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): GetRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetRequest.AsObject;
    static toObject(includeInstance: boolean, msg: GetRequest): GetRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetRequest;
    static deserializeBinaryFromReader(message: GetRequest, reader: jspb.BinaryReader): GetRequest;
}

export namespace GetRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class GetResponse extends jspb.Message { 

    hasProcess(): boolean;
    clearProcess(): void;
    getProcess(): Process | undefined;
    setProcess(value?: Process): GetResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): GetResponse.AsObject;
    static toObject(includeInstance: boolean, msg: GetResponse): GetResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: GetResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): GetResponse;
    static deserializeBinaryFromReader(message: GetResponse, reader: jspb.BinaryReader): GetResponse;
}

export namespace GetResponse {
    export type AsObject = {
        process?: Process.AsObject,
    }
}

export class Process extends jspb.Message { 
    getPid(): number;
    setPid(value: number): Process;
    getStatus(): Status;
    setStatus(value: Status): Process;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): Process.AsObject;
    static toObject(includeInstance: boolean, msg: Process): Process.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: Process, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): Process;
    static deserializeBinaryFromReader(message: Process, reader: jspb.BinaryReader): Process;
}

export namespace Process {
    export type AsObject = {
        pid: number,
        status: Status,
    }
}

export class KillRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): KillRequest;
    getSignal(): number;
    setSignal(value: number): KillRequest;
    getAll(): boolean;
    setAll(value: boolean): KillRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): KillRequest.AsObject;
    static toObject(includeInstance: boolean, msg: KillRequest): KillRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: KillRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): KillRequest;
    static deserializeBinaryFromReader(message: KillRequest, reader: jspb.BinaryReader): KillRequest;
}

export namespace KillRequest {
    export type AsObject = {
        containerId: string,
        signal: number,
        all: boolean,
    }
}

export class PauseTaskRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): PauseTaskRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): PauseTaskRequest.AsObject;
    static toObject(includeInstance: boolean, msg: PauseTaskRequest): PauseTaskRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: PauseTaskRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): PauseTaskRequest;
    static deserializeBinaryFromReader(message: PauseTaskRequest, reader: jspb.BinaryReader): PauseTaskRequest;
}

export namespace PauseTaskRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class ResumeTaskRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): ResumeTaskRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): ResumeTaskRequest.AsObject;
    static toObject(includeInstance: boolean, msg: ResumeTaskRequest): ResumeTaskRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: ResumeTaskRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): ResumeTaskRequest;
    static deserializeBinaryFromReader(message: ResumeTaskRequest, reader: jspb.BinaryReader): ResumeTaskRequest;
}

export namespace ResumeTaskRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class WaitRequest extends jspb.Message { 
    getContainerId(): string;
    setContainerId(value: string): WaitRequest;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): WaitRequest.AsObject;
    static toObject(includeInstance: boolean, msg: WaitRequest): WaitRequest.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: WaitRequest, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): WaitRequest;
    static deserializeBinaryFromReader(message: WaitRequest, reader: jspb.BinaryReader): WaitRequest;
}

export namespace WaitRequest {
    export type AsObject = {
        containerId: string,
    }
}

export class WaitResponse extends jspb.Message { 
    getExitStatus(): number;
    setExitStatus(value: number): WaitResponse;

    serializeBinary(): Uint8Array;
    toObject(includeInstance?: boolean): WaitResponse.AsObject;
    static toObject(includeInstance: boolean, msg: WaitResponse): WaitResponse.AsObject;
    static extensions: {[key: number]: jspb.ExtensionFieldInfo<jspb.Message>};
    static extensionsBinary: {[key: number]: jspb.ExtensionFieldBinaryInfo<jspb.Message>};
    static serializeBinaryToWriter(message: WaitResponse, writer: jspb.BinaryWriter): void;
    static deserializeBinary(bytes: Uint8Array): WaitResponse;
    static deserializeBinaryFromReader(message: WaitResponse, reader: jspb.BinaryReader): WaitResponse;
}

export namespace WaitResponse {
    export type AsObject = {
        exitStatus: number,
    }
}

export enum Status {
    UNKNOWN = 0,
    CREATED = 1,
    RUNNING = 2,
    STOPPED = 3,
    PAUSED = 4,
    PAUSING = 5,
}
