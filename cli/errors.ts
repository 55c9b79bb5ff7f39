/** Errors as people at a terminal want them: one line a problem, no stack. */

/** A command could not do what it was asked. `message` says why and, where there is one, the way out. */
export class Failure extends Error {
  /** It was refused, so nothing was begun. */
  readonly isRefusal: boolean;

  constructor(message: string, { isRefusal = false } = {}) {
    super(message);
    this.name = 'Failure';
    this.isRefusal = isRefusal;
  }
}

/** A command line that makes no sense, found only when the command's code runs. `message` says what it should be. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** Errors made for people. Named rather than imported, so that help needs none of their modules. */
const PLAIN = new Set([
  'Failure',
  'UsageError',
  'ConfigError',
  'IdentityError',
  'ContainerdError',
  'SyscallError',
]);
/** These do not go away by trying again; systemd is told by the exit status. */
const WRONG_USE = new Set(['UsageError', 'ConfigError']);

export function explain(error: unknown): { status: 1 | 2; lines: string[] } {
  if (!(error instanceof Error)) return { status: 1, lines: [String(error)] };
  const isPlain = PLAIN.has(error.name) || 'syscall' in error;
  const text = isPlain ? error.message : `unexpected ${error.name}: ${error.message}`;
  return { status: WRONG_USE.has(error.name) ? 2 : 1, lines: text.split('\n') };
}
