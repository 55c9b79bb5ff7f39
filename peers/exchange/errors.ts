/** What a neighbour is told of an error: one table, applied to every method of the server. */
import { status } from '@grpc/grpc-js';
import type { ErrorToStatus } from '../../proto/serve.ts';
import { BadPinMessageError } from '../placement/messages.ts';
import type { Log } from '../types.ts';
import { WireError } from './wire.ts';

/** What was asked for is not here, or not whole. Normal, and not logged. */
export class AbsentError extends Error {}

/** Too many calls are open. The neighbour is to come back, or to ask somebody else. */
export class BusyError extends Error {}

const TABLE = [
  [WireError, status.INVALID_ARGUMENT],
  [BadPinMessageError, status.INVALID_ARGUMENT],
  [AbsentError, status.NOT_FOUND],
  [BusyError, status.RESOURCE_EXHAUSTED],
] as const;

/** Anything that is not in the table is our own fault: a bland INTERNAL outside, the cause in the log. */
export function errorToStatus(log: Log): ErrorToStatus {
  return (error, path) => {
    for (const [type, code] of TABLE) {
      if (error instanceof type) return { code, details: error.message };
    }
    log.error({ err: error, path }, 'a call of a neighbour failed');
    return { code: status.INTERNAL, details: 'internal error' };
  };
}
