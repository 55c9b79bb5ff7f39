/**
 * When a demanded block is late, and how often that may cost a second request (a hedge). Pure: the caller brings the clock.
 *
 * Late is what takes longer than nearly all have taken lately, over all neighbours. Only answers are counted, and each from the moment that
 * it was asked of whoever gave it; the time that a hedge has waited is in none of them, so the bound does not feed on itself. Where everything is slow the
 * bound rises with it, and until it has, the budget keeps hedges to a small part of the requests.
 */

const REMEMBERED = 64;
/** Fewer say nothing of their tail. */
const ENOUGH = 8;
const TAIL = 0.95;

/** The times that were measured last. */
export class RecentTimes {
  readonly #ms: number[] = [];
  #next = 0;
  #tailMs: number | undefined;

  add(ms: number): void {
    this.#ms[this.#next] = ms;
    this.#next = (this.#next + 1) % REMEMBERED;
    this.#tailMs = undefined;
  }

  /** The time that all but a few stay below; undefined while too few are known. */
  get tailMs(): number | undefined {
    if (this.#ms.length < ENOUGH) return undefined;
    this.#tailMs ??= [...this.#ms].sort((a, b) => a - b)[Math.ceil(this.#ms.length * TAIL) - 1]!;
    return this.#tailMs;
  }
}

/** Hedges are at most this part of the demanded blocks ... */
const HEDGE_SHARE = 0.1;
/** ... and this many more, saved up while none was needed. */
const HEDGES_SAVED_MAX = 10;

export class HedgeBudget {
  #saved = HEDGES_SAVED_MAX;

  /** A block is demanded. */
  earn(): void {
    this.#saved = Math.min(this.#saved + HEDGE_SHARE, HEDGES_SAVED_MAX);
  }

  /** How many hedges may be made now. */
  get allowed(): number {
    // Tenths do not add up exactly.
    return Math.floor(this.#saved + 1e-9);
  }

  spend(): void {
    this.#saved -= 1;
  }
}

/** What lateness is measured by, at one moment. */
export interface LateBounds {
  /** No byte has come for so long. */
  silentMs: number;
  /** No block has come for so long, though bytes have. */
  blockMs: number;
}

/** Before this, nothing is late: a busy processor or a garbage collection takes as long. */
const LATE_MIN_MS = 15;
const BLOCK_MARGIN = 1.25;
/** While nothing is measured. */
const LATE_UNMEASURED_MS = 100;

export class Hedging {
  readonly budget = new HedgeBudget();
  /** From a request to the first byte of its answer, and from there or the block before to a whole block. */
  readonly #firstBytes = new RecentTimes();
  readonly #blocks = new RecentTimes();

  firstByte(ms: number): void {
    this.#firstBytes.add(ms);
  }

  block(ms: number): void {
    this.#blocks.add(ms);
  }

  get bounds(): LateBounds {
    const blockMs = (this.#blocks.tailMs ?? LATE_UNMEASURED_MS) * BLOCK_MARGIN;
    return {
      silentMs: Math.max(this.#firstBytes.tailMs ?? LATE_UNMEASURED_MS, LATE_MIN_MS),
      blockMs: Math.max(blockMs, LATE_MIN_MS),
    };
  }
}
