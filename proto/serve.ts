/**
 * Turns plain async functions into a grpc-js implementation of a service: unary methods return their reply, streaming
 * ones are async generators. Errors of all of them, streams included, go through the one function given here.
 */
import { once } from 'node:events';
import type {
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerWritableStream,
  StatusObject,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { StreamMethod, UnaryMethod } from './service.ts';

/** What a handler may want to know of its call besides the request. */
export interface CallContext {
  /** `host:port`, or empty on a unix socket. */
  peer: string;
  headers: Metadata;
  /** Aborted when the client goes away or its deadline passes. */
  signal: AbortSignal;
  /** Common name of the client's certificate; undefined without mutual TLS. */
  commonName: string | undefined;
}

/** The functions that implement service `S`. */
export type Handlers<S> = {
  [K in keyof S]: S[K] extends UnaryMethod<infer Q, infer R>
    ? (request: Q, context: CallContext) => Promise<R>
    : S[K] extends StreamMethod<infer Q, infer R>
      ? (request: Q, context: CallContext) => AsyncIterable<R>
      : never;
};

/** What the client is to be told of an error. It also gets the method's path, for the log. */
export type ErrorToStatus = (error: unknown, path: string) => Pick<StatusObject, 'code' | 'details'>;

type AnyCall = Parameters<handleUnaryCall<unknown, unknown>>[0] | ServerWritableStream<unknown, unknown>;
type AnyMethod = UnaryMethod<unknown, unknown> | StreamMethod<unknown, unknown>;

/** For `server.addService(service, implement(service, handlers, toStatus))`. */
export function implement<S extends object>(
  service: S,
  handlers: Handlers<S>,
  toStatus: ErrorToStatus,
): UntypedServiceImplementation {
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(service) as [string, AnyMethod][]) {
    // `Handlers<S>` has checked the types; the loop over names loses them.
    const handler = handlers[name as keyof S] as (request: unknown, context: CallContext) => never;
    implementation[name] = method.responseStream
      ? streaming(handler, (error) => toStatus(error, method.path))
      : unary(handler, (error) => toStatus(error, method.path));
  }
  return implementation;
}

type BoundToStatus = (error: unknown) => ReturnType<ErrorToStatus>;

function unary(
  handler: (request: unknown, context: CallContext) => Promise<unknown>,
  toStatus: BoundToStatus,
): handleUnaryCall<unknown, unknown> {
  return async (made, reply) => {
    try {
      reply(null, await handler(made.request, contextOf(made)));
    } catch (error) {
      reply(toStatus(error));
    }
  };
}

function streaming(
  handler: (request: unknown, context: CallContext) => AsyncIterable<unknown>,
  toStatus: BoundToStatus,
): handleServerStreamingCall<unknown, unknown> {
  return async (made) => {
    const context = contextOf(made);
    const cancelled = once(context.signal, 'abort');
    let before: Promise<unknown> = Promise.resolve();
    try {
      for await (const reply of handler(made.request, context)) {
        // One reply may wait behind the one being sent. The stream's own mark would let sixteen, of any size, pile up.
        const sent = new Promise<void>((resolve) => made.write(reply, () => resolve()));
        await Promise.race([before, cancelled]);
        context.signal.throwIfAborted();
        before = sent;
      }
      made.end();
    } catch (error) {
      // Nobody is left to be told of the end of a cancelled call.
      if (!context.signal.aborted) made.emit('error', toStatus(error));
    }
  };
}

function contextOf(made: AnyCall): CallContext {
  const controller = new AbortController();
  made.once('cancelled', () => controller.abort());
  return {
    peer: made.getPeer(),
    headers: made.metadata,
    signal: controller.signal,
    get commonName() {
      const name = made.getAuthContext().sslPeerCertificate?.subject.CN;
      return Array.isArray(name) ? name[0] : name;
    },
  };
}
