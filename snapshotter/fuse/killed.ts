/**
 * Whose waiting reads may end: those of threads that were killed.
 *
 * The kernel sends one INTERRUPT for a request, at the first signal that its thread gets, whatever the signal. To fail
 * the read then would break a program that merely got a SIGCHLD; to ignore it would leave a killed container hanging.
 * So interrupted reads are watched until they are answered, and end when SIGKILL is pending.
 */
import { readFileSync } from 'node:fs';

const POLL_MS = 50;
/** Bit of SIGKILL in the masks of /proc/<pid>/status. */
const SIGKILL_BIT = 1n << 8n;

/** True when the thread has SIGKILL pending, for itself or for its process. */
export function isKilled(pid: number): boolean {
  if (pid === 0) return false;
  let status: string;
  try {
    status = readFileSync(`/proc/${pid}/status`, 'latin1');
  } catch {
    // It cannot be gone while it waits for us: it is of a pid namespace that we do not see.
    return false;
  }
  return ['SigPnd', 'ShdPnd'].some((name) => {
    const mask = new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
    return mask !== undefined && (BigInt(`0x${mask}`) & SIGKILL_BIT) !== 0n;
  });
}

/** Polls interrupted threads; calls back once for each that turns out to be killed. */
export class KillWatch {
  readonly #watched = new Map<bigint, { pid: number; killed: () => void }>();
  readonly #isKilled: (pid: number) => boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor(look: (pid: number) => boolean = isKilled) {
    this.#isKilled = look;
  }

  /** Looks at once, and then now and again until `unwatch`. */
  watch(unique: bigint, pid: number, killed: () => void): void {
    if (this.#isKilled(pid)) {
      killed();
      return;
    }
    this.#watched.set(unique, { pid, killed });
    this.#timer ??= setInterval(() => this.#look(), POLL_MS).unref();
  }

  unwatch(unique: bigint): void {
    this.#watched.delete(unique);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    for (const [unique, { pid, killed }] of this.#watched) {
      if (!this.#isKilled(pid)) continue;
      this.unwatch(unique);
      killed();
    }
  }
}
