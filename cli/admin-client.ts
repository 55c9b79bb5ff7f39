/** Asks the node process of this machine, over its admin socket. */
import { join } from 'node:path';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { type CallSettings, call, callStream } from '../proto/call.ts';
import type { StreamMethod, UnaryMethod } from '../proto/service.ts';
import { Failure } from './errors.ts';

const TIMEOUT_MS = 30_000;
const MAX_REPLY_BYTES = 64 << 20;

/** With these the node tells a person what is wrong with the request; its words need nothing around them. */
const FOR_PEOPLE: readonly status[] = [status.NOT_FOUND, status.INVALID_ARGUMENT, status.FAILED_PRECONDITION];

/** Throws `Failure` when the node does not answer. `run` is the configured folder of sockets. */
export function ask<Q, R>(run: string, method: UnaryMethod<Q, R>, request: Q): Promise<R> {
  return asked(run, method, request, { timeoutMs: TIMEOUT_MS });
}

/** For work that takes as long as it takes: only the end of either side ends it. */
export function askLong<Q, R>(run: string, method: UnaryMethod<Q, R>, request: Q): Promise<R> {
  return asked(run, method, request, {});
}

/** The same, with replies on the way. */
export async function* askStream<Q, R>(
  run: string,
  method: StreamMethod<Q, R>,
  request: Q,
): AsyncGenerator<R, void> {
  const { socket, client } = connect(run);
  try {
    yield* callStream(client, method, request);
  } catch (error) {
    throw failure(error as ServiceError, socket);
  } finally {
    client.close();
  }
}

async function asked<Q, R>(
  run: string,
  method: UnaryMethod<Q, R>,
  request: Q,
  settings: CallSettings,
): Promise<R> {
  const { socket, client } = connect(run);
  try {
    return await call(client, method, request, settings);
  } catch (error) {
    throw failure(error as ServiceError, socket);
  } finally {
    client.close();
  }
}

function connect(run: string): { socket: string; client: Client } {
  const socket = join(run, 'admin.sock');
  const options = { 'grpc.max_receive_message_length': MAX_REPLY_BYTES };
  return { socket, client: new Client(`unix://${socket}`, credentials.createInsecure(), options) };
}

function failure(error: ServiceError, socket: string): Failure {
  return new Failure(reason(error, socket), { isRefusal: FOR_PEOPLE.includes(error.code) });
}

function reason({ code, details }: ServiceError, socket: string): string {
  if (FOR_PEOPLE.includes(code)) return details;
  if (code === status.UNIMPLEMENTED)
    return `the node at ${socket} is of an older version and does not know this; \`systemctl restart forage\` starts the one that is installed`;
  // The commands themselves cancel nothing.
  if (code === status.CANCELLED || (code === status.UNAVAILABLE && details.includes('dropped')))
    return `the node at ${socket} ended meanwhile; ask again when it is back`;
  if (code !== status.UNAVAILABLE) return `the node at ${socket} says: ${details}`;
  if (details.includes('EACCES')) return `${socket} is for root only; try sudo`;
  return `no node answers at ${socket}; \`systemctl start forage\` starts it, \`systemctl status forage\` says why it ended`;
}
