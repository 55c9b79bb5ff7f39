/** Typed calls of the services of this folder, over one grpc-js `Client` (a plain `new Client(address, credentials, options)`). */
import { type CallOptions, type Client, type ClientReadableStream, Metadata } from '@grpc/grpc-js';
import type { StreamMethod, UnaryMethod } from './service.ts';

export interface CallSettings {
  /** Ends the call with DEADLINE_EXCEEDED; none by default. */
  timeoutMs?: number;
  /** Ends the call with CANCELLED. */
  signal?: AbortSignal;
  /** Request headers, such as `containerd-namespace`. */
  headers?: Record<string, string>;
}

/** Rejects with grpc-js's ServiceError. */
export function call<Q, R>(
  client: Client,
  method: UnaryMethod<Q, R>,
  request: Q,
  settings: CallSettings = {},
): Promise<R> {
  const { promise, resolve, reject } = Promise.withResolvers<R>();
  const made = client.makeUnaryRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    metadataOf(settings),
    optionsOf(settings),
    (error, reply) => (error ? reject(error) : resolve(reply as R)),
  );
  return withAbort(made, settings.signal, promise);
}

/** A readable stream of replies, to be iterated; leaving the loop early cancels the call. */
export function callStream<Q, R>(
  client: Client,
  method: StreamMethod<Q, R>,
  request: Q,
  settings: CallSettings = {},
): ClientReadableStream<R> & AsyncIterable<R> {
  const replies = client.makeServerStreamRequest(
    method.path,
    method.requestSerialize,
    method.responseDeserialize,
    request,
    metadataOf(settings),
    optionsOf(settings),
  );
  replies.once('close', () => replies.cancel());
  const { signal } = settings;
  if (signal?.aborted) replies.cancel();
  else if (signal) {
    const cancel = () => replies.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    replies.once('close', () => signal.removeEventListener('abort', cancel));
  }
  return replies;
}

async function withAbort<R>(
  made: { cancel(): void },
  signal: AbortSignal | undefined,
  reply: Promise<R>,
): Promise<R> {
  if (!signal) return reply;
  const cancel = () => made.cancel();
  if (signal.aborted) cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    return await reply;
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function metadataOf({ headers = {} }: CallSettings): Metadata {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  return metadata;
}

function optionsOf({ timeoutMs }: CallSettings): CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}
