/** Asks the node process of this machine, over its admin socket. */
import { join } from 'node:path';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { call } from '../proto/call.ts';
import type { UnaryMethod } from '../proto/service.ts';
import { Failure } from './errors.ts';

const TIMEOUT_MS = 30_000;
const MAX_REPLY_BYTES = 64 << 20;

/** Throws `Failure` when the node does not answer. `run` is the configured folder of sockets. */
export async function ask<Q, R>(run: string, method: UnaryMethod<Q, R>, request: Q): Promise<R> {
  const socket = join(run, 'admin.sock');
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': MAX_REPLY_BYTES,
  });
  try {
    return await call(client, method, request, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    throw new Failure(reason(error as ServiceError, socket));
  } finally {
    client.close();
  }
}

function reason(error: ServiceError, socket: string): string {
  if (error.code !== status.UNAVAILABLE) return `the node at ${socket} says: ${error.details}`;
  if (error.details.includes('EACCES')) return `${socket} is for root only; try sudo`;
  return `no node answers at ${socket}; \`systemctl start forage\` starts it, \`systemctl status forage\` says why it ended`;
}
