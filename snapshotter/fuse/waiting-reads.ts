/**
 * Reads that wait for blocks. A waiting read holds no buffer, only what it takes to try it again, so ten thousand of
 * them cost a few megabytes and do not slow the others. A block that several reads miss is asked for once.
 */
import type { BlockId, Root } from '../../blocks/types.ts';
import type { Feeder } from './types.ts';

/** What becomes of a waiting read: all its blocks came, or it is not worth waiting any longer. */
export type Settled = (failure?: string) => void;

interface Waiter {
  readonly missing: readonly Want[];
  /** Blocks that have not come. */
  left: number;
  readonly deadlineMs: number;
  readonly settled: Settled;
}

interface Want {
  readonly key: string;
  readonly id: BlockId;
  readonly waiters: Set<Waiter>;
  readonly withdraw: () => void;
}

export class WaitingReads {
  readonly #feeder: Feeder;
  readonly #waitMs: number;
  /** By volume and block: the node gives up a volume's requests when no container uses that volume any longer. */
  readonly #wants = new Map<string, Want>();
  /** In the order of their deadlines, since all wait equally long. */
  readonly #waiters = new Set<Waiter>();
  #timer: NodeJS.Timeout | undefined;

  /** `waitMs`: how long a read may wait before it fails. */
  constructor(feeder: Feeder, waitMs: number) {
    this.#feeder = feeder;
    this.#waitMs = waitMs;
  }

  get count(): number {
    return this.#waiters.size;
  }

  /** Asks for the blocks and calls `settled` once. The answer gives up: `settled` is then never called. */
  wait(root: Root, missing: readonly BlockId[], settled: Settled): () => void {
    const wants = [...new Set(missing)].map((id) => this.#want(root, id));
    const deadlineMs = performance.now() + this.#waitMs;
    const waiter: Waiter = { missing: wants, left: wants.length, deadlineMs, settled };
    this.#waiters.add(waiter);
    for (const want of wants) want.waiters.add(waiter);
    this.#arm();
    return () => this.#end(waiter);
  }

  /** Gives up all of them. */
  close(): void {
    for (const waiter of this.#waiters) this.#end(waiter);
  }

  #want(root: Root, id: BlockId): Want {
    const key = `${root}/${id}`;
    const known = this.#wants.get(key);
    if (known) return known;
    const withdraw = this.#feeder.bring(root, id, (failure) => this.#arrived(key, failure));
    const want = { key, id, waiters: new Set<Waiter>(), withdraw };
    this.#wants.set(key, want);
    return want;
  }

  #arrived(key: string, failure?: string): void {
    const want = this.#wants.get(key);
    this.#wants.delete(key);
    for (const waiter of want?.waiters ?? []) {
      waiter.left--;
      if (failure === undefined && waiter.left > 0) continue;
      this.#end(waiter);
      waiter.settled(failure && `block ${key}: ${failure}`);
    }
  }

  #end(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter)) return;
    for (const want of waiter.missing) {
      const last = want.waiters.delete(waiter) && want.waiters.size === 0;
      // One that has just arrived is off the list already.
      if (!last || this.#wants.get(want.key) !== want) continue;
      this.#wants.delete(want.key);
      want.withdraw();
    }
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    const [first] = this.#waiters;
    if (first === undefined) return;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, first.deadlineMs - performance.now()));
    this.#timer.unref();
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = performance.now();
    for (const waiter of this.#waiters) {
      if (waiter.deadlineMs > nowMs) break;
      const away = waiter.missing.filter((want) => this.#wants.get(want.key) === want).map(({ id }) => id);
      this.#end(waiter);
      waiter.settled(`nobody gave ${away.join(', ')} within ${this.#waitMs / 1000} s`);
    }
    this.#arm();
  }
}
