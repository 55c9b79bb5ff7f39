/** What the twin refuses, as containerd would say it. */
import { status } from '@grpc/grpc-js';

class Refused extends Error {
  readonly code: status;
  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}

export function notFound(name: string): Error {
  return new Refused(status.NOT_FOUND, `${name}: not found`);
}

export function exists(name: string): Error {
  return new Refused(status.ALREADY_EXISTS, `${name}: already exists`);
}

/** It is in a state that does not allow what was asked for. */
export function notNow(why: string): Error {
  return new Refused(status.FAILED_PRECONDITION, why);
}

export function found<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw notFound(name);
  return value;
}

export function toStatus(error: unknown) {
  if (error instanceof Refused) return { code: error.code, details: error.message };
  return { code: status.INVALID_ARGUMENT, details: String(error) };
}
