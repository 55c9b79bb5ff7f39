/**
 * Fetches what this node owns and lacks: a few blocks at once, at a bounded rate, each as long as it is still owned. A full
 * disk ends the batch; a block that nobody has is left for a later one.
 */
import type { BlockId } from '../../blocks/types.ts';
import type { Wanted } from './custody.ts';
import type { Timers } from './timers.ts';
import type { CustodianParts } from './types.ts';

const AT_ONCE = 8;

type Parts = Pick<CustodianParts, 'clock' | 'blocks' | 'others' | 'limits' | 'log'>;

export class Fetching {
  readonly totals = { fetched: 0, fetchedBytes: 0 };
  readonly #parts: Parts;
  readonly #timers: Timers;
  readonly #isOwner: (id: BlockId) => boolean;
  /** When what was fetched so far is paid for, at the bounded rate. */
  #paidMs = 0;

  constructor(parts: Parts, timers: Timers, isOwner: (id: BlockId) => boolean) {
    this.#parts = parts;
    this.#timers = timers;
    this.#isOwner = isOwner;
  }

  /** Answers how many have come. */
  async run(batch: readonly Wanted[]): Promise<number> {
    const before = this.totals.fetched;
    const queue = batch.values();
    let isFull = false;
    const worker = async () => {
      for (const wanted of queue) {
        await this.#pay(wanted.sizeBytes);
        if (isFull) return;
        if (await this.#fetch(wanted)) isFull = true;
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, batch.length) }, worker));
    return this.totals.fetched - before;
  }

  async #pay(sizeBytes: number): Promise<void> {
    const { clock, limits } = this.#parts;
    const startMs = Math.max(clock.now(), this.#paidMs);
    this.#paidMs = startMs + (sizeBytes / limits.fetchBytesPerSecond) * 1000;
    if (startMs > clock.now()) await this.#timers.sleep(startMs - clock.now());
  }

  /** True when the disk is full. */
  async #fetch({ id, root, sizeBytes }: Wanted): Promise<boolean> {
    const { blocks, others, log } = this.#parts;
    if (blocks.has(id) || !this.#isOwner(id)) return false;
    try {
      await others.fetch(id, root);
      this.totals.fetched++;
      this.totals.fetchedBytes += sizeBytes;
    } catch (error) {
      log.debug({ block: id, err: error }, 'an owned block could not be fetched');
      return (error as NodeJS.ErrnoException).code === 'ENOSPC';
    }
    return false;
  }
}
