/** One gRPC channel to containerd, shared by the services beside this file. It need not be there yet, and may go and come. */
import { Client, credentials, status } from '@grpc/grpc-js';
import { type CallSettings, call, callStream } from '../../proto/call.ts';
import type { StreamMethod, UnaryMethod } from '../../proto/service.ts';

/** A blob comes in messages of up to 1 MiB; one of them should fit in flight. */
const FLOW_CONTROL_WINDOW_BYTES = 2 << 20;
const RECONNECT_MIN_MS = 100;
const RECONNECT_MAX_MS = 3000;
const CALL_TIMEOUT_MS = 30_000;
/** For calls behind which data moves between machines: whoever makes one can end it by a signal. */
export const DATA_TIMEOUT_MS = 15 * 60_000;

/**
 * `unavailable`: containerd is not running, or is starting. `not-found`: what was named is not there (any longer). `exists`: it is there
 * already.
 */
export type ContainerdErrorKind = 'unavailable' | 'not-found' | 'exists' | 'failed';

/** A namespace, or one with a lease: what is made under it the collector leaves alone until the lease is released. */
export type Scope = string | { namespace: string; lease: string };

export class ContainerdError extends Error {
  readonly kind: ContainerdErrorKind;
  constructor(kind: ContainerdErrorKind, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'ContainerdError';
    this.kind = kind;
  }
}

export interface Connection {
  /**
   * Throws `ContainerdError`, or the signal's reason on abort. `scope` is '' where a call has no namespace. `timeoutMs`: half a minute
   * unless more is given.
   */
  call<Q, R>(
    method: UnaryMethod<Q, R>,
    scope: Scope,
    request: Q,
    signal?: AbortSignal,
    timeoutMs?: number,
  ): Promise<R>;
  /** The same for a stream of replies, read no faster than they are taken. Leaving the loop ends the call. */
  stream<Q, R>(
    method: StreamMethod<Q, R>,
    namespace: string,
    request: Q,
    signal?: AbortSignal,
  ): AsyncIterable<R>;
  close(): void;
}

/** Whether it is a `ContainerdError` of that kind. */
export function isContainerdError(error: unknown, kind: ContainerdErrorKind): error is ContainerdError {
  return error instanceof ContainerdError && error.kind === kind;
}

/** Opens no socket before the first call. `address` is the path of containerd's socket. */
export function connect(address: string): Connection {
  const client = new Client(`unix://${address}`, credentials.createInsecure(), {
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
    'grpc.initial_reconnect_backoff_ms': RECONNECT_MIN_MS,
    'grpc.max_reconnect_backoff_ms': RECONNECT_MAX_MS,
  });

  return {
    async call(method, scope, request, signal, timeoutMs = CALL_TIMEOUT_MS) {
      try {
        return await call(client, method, request, { ...settings(scope, signal), timeoutMs });
      } catch (error) {
        throw explain(error, address, signal);
      }
    },
    async *stream(method, namespace, request, signal) {
      try {
        yield* callStream(client, method, request, settings(namespace, signal));
      } catch (error) {
        throw explain(error, address, signal);
      }
    },
    close: () => client.close(),
  };
}

function settings(scope: Scope, signal: AbortSignal | undefined): CallSettings {
  if (scope === '') return { signal };
  const { namespace, lease } = typeof scope === 'string' ? { namespace: scope, lease: undefined } : scope;
  const headers = { 'containerd-namespace': namespace, ...(lease && { 'containerd-lease': lease }) };
  return { signal, headers };
}

function explain(error: unknown, address: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const { code, details } = error as { code?: unknown; details?: unknown };
  if (typeof code !== 'number') return error;
  switch (code) {
    case status.UNAVAILABLE:
    case status.DEADLINE_EXCEEDED:
    case status.CANCELLED: // not by us: the signal was looked at; it is how a server that stops ends its streams
      return new ContainerdError(
        'unavailable',
        `containerd does not answer at ${address}: ${details}`,
        error,
      );
    case status.ALREADY_EXISTS:
      return new ContainerdError('exists', `containerd: ${details}`, error);
    case status.NOT_FOUND:
      return new ContainerdError('not-found', `containerd: ${details}`, error);
    default:
      return new ContainerdError('failed', `containerd: ${status[code] ?? code}: ${details}`, error);
  }
}
