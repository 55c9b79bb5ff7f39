/**
 * The snapshotter's errors, and the one table that maps them to gRPC codes. containerd maps the codes back to its own
 * error classes; a code that is not in the table would be "unknown" there.
 */
import { status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import type { ErrorToStatus } from '../proto/serve.ts';
import type { ErrorKind } from './types.ts';

const CODES: Record<ErrorKind, status> = {
  'not-found': status.NOT_FOUND,
  'already-exists': status.ALREADY_EXISTS,
  'invalid-argument': status.INVALID_ARGUMENT,
  'failed-precondition': status.FAILED_PRECONDITION,
  unavailable: status.UNAVAILABLE,
  unimplemented: status.UNIMPLEMENTED,
};

/** Answers that say something of this node, and not of what it was asked: worth a line in the log. */
const LOGGED: ReadonlySet<ErrorKind> = new Set(['unavailable']);

/** An answer to containerd rather than a fault of ours. */
export class SnapshotError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SnapshotError';
    this.kind = kind;
  }
}

/** Unknown errors go out as a bland INTERNAL; their cause stays in the log. */
export function errorToStatus(logger: Logger): ErrorToStatus {
  return (error, path) => {
    if (error instanceof SnapshotError) {
      if (LOGGED.has(error.kind)) logger.warn({ path, err: error.cause }, error.message);
      return { code: CODES[error.kind], details: error.message };
    }
    logger.error({ path, err: error }, 'snapshot call failed');
    return { code: status.INTERNAL, details: 'internal error of the snapshotter; its log has the cause' };
  };
}
