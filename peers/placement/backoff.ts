/** Whom or what not to ask for a while: longer with each refusal, up to a bound. Bounded: the oldest are forgotten. */
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
  readonly #refusals = new Map<string, Refusal>();

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Answers for how long it is not to be asked. */
  refused(what: string, nowMs: number): number {
    const { minMs, maxMs, maxEntries } = this.#options;
    const before = this.#refusals.get(what);
    const delayMs = before ? Math.min(before.delayMs * 2, maxMs) : minMs;
    this.#refusals.delete(what);
    this.#refusals.set(what, { untilMs: nowMs + delayMs, delayMs });
    if (this.#refusals.size > maxEntries) this.#refusals.delete(this.#refusals.keys().next().value!);
    return delayMs;
  }

  accepted(what: string): void {
    this.#refusals.delete(what);
  }

  mayAsk(what: string, nowMs: number): boolean {
    const refusal = this.#refusals.get(what);
    return refusal === undefined || refusal.untilMs <= nowMs;
  }

  clear(): void {
    this.#refusals.clear();
  }
}
