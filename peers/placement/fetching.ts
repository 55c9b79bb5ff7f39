/**
 * Fetches what this node owns and lacks: a few blocks at once, at a bounded rate, each as long as it is still owned. What somebody waits
 * for (a checkpoint, before the container is ended where it was) comes first, at no bounded rate, still behind what containers read. A full
 * disk ends the batch. A block that does not come soon is waited for beside the next ones, so that blocks which nobody has do not
 * hold up the rest; one that does not come at all is left for a later batch, ever later.
 */
import type { BlockId } from '../../blocks/types.ts';
import { Backoff } from './backoff.ts';
import type { Wanted } from './custody.ts';
import type { Timers } from './timers.ts';
import type { CustodianParts } from './types.ts';

const AT_ONCE = 8;
/** Of what is waited for: memory is cut finely. */
const AWAITED_AT_ONCE = 64;
/** After this the next block is begun. Over a link on which a block takes longer, more and more would be under way. */
const SLOW_MS = 10_000;
/** What has not come by then is given up: nothing else is looked after until the batch is over. */
const GIVE_UP_MS = 60_000;
const ABSENT = { minMs: 15_000, maxMs: 600_000, maxEntries: 8192 };

type Parts = Pick<CustodianParts, 'clock' | 'blocks' | 'others' | 'limits' | 'log'>;

export class Fetching {
  readonly totals = { fetched: 0, fetchedBytes: 0 };
  readonly #parts: Parts;
  readonly #timers: Timers;
  readonly #isOwner: (id: BlockId) => boolean;
  readonly #absent = new Backoff(ABSENT);
  /** When what was fetched so far is paid for, at the bounded rate. */
  #paidMs = 0;

  constructor(parts: Parts, timers: Timers, isOwner: (id: BlockId) => boolean) {
    this.#parts = parts;
    this.#timers = timers;
    this.#isOwner = isOwner;
  }

  /** False for a while after a block could not be had. */
  may(id: BlockId): boolean {
    return this.#absent.mayAsk(id, this.#parts.clock.now());
  }

  /** Those that come may have what nobody had. */
  membersChanged(): void {
    this.#absent.clear();
  }

  /** Answers how many have come. */
  async run(batch: readonly Wanted[]): Promise<number> {
    const { awaited = [], others = [] } = Object.groupBy(batch, ({ isAwaited }) =>
      isAwaited ? 'awaited' : 'others',
    );
    const fetched = await this.#all(awaited, AWAITED_AT_ONCE, () => Promise.resolve());
    return fetched + (await this.#all(others, AT_ONCE, (bytes) => this.#pay(bytes)));
  }

  async #all(
    batch: readonly Wanted[],
    atOnce: number,
    pay: (sizeBytes: number) => Promise<void>,
  ): Promise<number> {
    const before = this.totals.fetched;
    const queue = batch.values();
    const coming: Promise<void>[] = [];
    let isFull = false;
    const begin = async (wanted: Wanted) => {
      if (await this.#fetch(wanted)) isFull = true;
    };
    const worker = async () => {
      for (const wanted of queue) {
        await pay(wanted.sizeBytes);
        if (isFull) return;
        const done = begin(wanted);
        coming.push(done);
        await this.#within(SLOW_MS, done);
      }
    };
    await Promise.all(Array.from({ length: Math.min(atOnce, batch.length) }, worker));
    await Promise.all(coming);
    return this.totals.fetched - before;
  }

  /** Returns when that is done, or after the time. */
  #within(ms: number, done: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#timers.after(ms, resolve);
      void done.then(() => {
        cancel();
        resolve();
      });
    });
  }

  async #pay(sizeBytes: number): Promise<void> {
    const { clock, limits } = this.#parts;
    const nowMs = clock.now();
    const startMs = Math.max(nowMs, this.#paidMs);
    this.#paidMs = startMs + (sizeBytes / limits().fetchBytesPerSecond) * 1000;
    if (startMs > nowMs) await this.#timers.sleep(startMs - nowMs);
  }

  /** True when the disk is full. */
  async #fetch({ id, root, sizeBytes }: Wanted): Promise<boolean> {
    const { blocks, others, clock, log } = this.#parts;
    if (blocks.has(id) || !this.#isOwner(id)) return false;
    const giveUp = new AbortController();
    const cancel = this.#timers.after(GIVE_UP_MS, () => giveUp.abort(new Error(`block ${id} does not come`)));
    try {
      await others.fetch(id, root, giveUp.signal);
      this.#absent.accepted(id);
      this.totals.fetched++;
      this.totals.fetchedBytes += sizeBytes;
    } catch (error) {
      log.debug({ block: id, err: error }, 'an owned block could not be fetched');
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return true;
      this.#absent.refused(id, clock.now());
    } finally {
      cancel();
    }
    return false;
  }
}
