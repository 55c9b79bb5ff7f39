/**
 * Service definitions for grpc-js, typed by the generated messages. They are written out here rather than generated, so
 * that bytes are wrapped and not copied on their way between grpc-js and google-protobuf, and so that `call.ts` (client)
 * and `serve.ts` (server) can derive their types from them.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import type { Message } from 'google-protobuf';
import './lengths.ts';

/** One request, one reply. */
export interface UnaryMethod<Request, Reply> extends MethodDefinition<Request, Reply> {
  requestStream: false;
  responseStream: false;
}

/** One request, a stream of replies. */
export interface StreamMethod<Request, Reply> extends MethodDefinition<Request, Reply> {
  requestStream: false;
  responseStream: true;
}

/** A service: its methods under the names of grpc-js, in camel case. */
export type Service = Record<string, UnaryMethod<never, never> | StreamMethod<never, never>>;

/** A generated message class. */
export interface MessageType<M extends Message> {
  new (): M;
  deserializeBinary(bytes: Uint8Array): M;
}

function serialize(message: Message): Buffer {
  const bytes = message.serializeBinary();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** google-protobuf copies a Buffer but not a plain Uint8Array; its `bytes` fields then share memory with what arrived. */
function deserialize<M extends Message>(type: MessageType<M>): (wire: Buffer) => M {
  return (wire) => type.deserializeBinary(new Uint8Array(wire.buffer, wire.byteOffset, wire.byteLength));
}

function codec<Q extends Message, R extends Message>(
  path: string,
  request: MessageType<Q>,
  reply: MessageType<R>,
) {
  return {
    path,
    requestSerialize: serialize,
    requestDeserialize: deserialize(request),
    responseSerialize: serialize,
    responseDeserialize: deserialize(reply),
  };
}

/** Makes the methods of the service of this full name, such as `forage.peer.v1.Peers`. */
export function methodsOf(service: string) {
  return {
    unary<Q extends Message, R extends Message>(
      name: string,
      request: MessageType<Q>,
      reply: MessageType<R>,
    ): UnaryMethod<Q, R> {
      return { ...codec(`/${service}/${name}`, request, reply), requestStream: false, responseStream: false };
    },
    stream<Q extends Message, R extends Message>(
      name: string,
      request: MessageType<Q>,
      reply: MessageType<R>,
    ): StreamMethod<Q, R> {
      return { ...codec(`/${service}/${name}`, request, reply), requestStream: false, responseStream: true };
    },
  };
}
