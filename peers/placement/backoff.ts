/** Whom or what not to ask for a while: longer with each refusal, up to a bound. Bounded: the oldest are forgotten. */
import { LRUCache } from 'lru-cache';

interface Refusal {
  untilMs: number;
  delayMs: number;
}

export interface BackoffOptions {
  minMs: number;
  maxMs: number;
  maxEntries: number;
}

export class Backoff {
  readonly #options: BackoffOptions;
  readonly #refusals: LRUCache<string, Refusal>;

  constructor(options: BackoffOptions) {
    this.#options = options;
    this.#refusals = new LRUCache({ max: options.maxEntries });
  }

  /** Answers for how long it is not to be asked. */
  refused(what: string, nowMs: number): number {
    const { minMs, maxMs } = this.#options;
    const before = this.#refusals.get(what);
    const delayMs = before ? Math.min(before.delayMs * 2, maxMs) : minMs;
    this.#refusals.set(what, { untilMs: nowMs + delayMs, delayMs });
    return delayMs;
  }

  accepted(what: string): void {
    this.#refusals.delete(what);
  }

  mayAsk(what: string, nowMs: number): boolean {
    const refusal = this.#refusals.peek(what);
    return refusal === undefined || refusal.untilMs <= nowMs;
  }

  clear(): void {
    this.#refusals.clear();
  }
}
