/**
 * Brings the indexes of volumes that are not here: a few at once, those that were never tried first, the others again after
 * ever longer delays. So records that name volumes which nobody has cannot hold up the rest. What is wanted, and whether it has come, others say.
 */
import type { Root } from '../../blocks/types.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import { Backoff } from './backoff.ts';
import { Timers } from './timers.ts';

const AT_ONCE = 4;
const RETRY = { minMs: 1000, maxMs: 120_000, maxEntries: 8192 };

export interface IndexFetchesParts {
  clock: Clock;
  log: Log;
  fetchIndex(root: Root): Promise<void>;
  /** True for a root that is still wanted and still not here. */
  isMissing(root: Root): boolean;
  /** A fetch has ended well: the index should be here. */
  fetched(root: Root): void;
}

export class IndexFetches {
  readonly #parts: IndexFetchesParts;
  readonly #timers: Timers;
  readonly #backoff = new Backoff(RETRY);
  /** All that are queued, running or waiting for another try. */
  readonly #pending = new Set<Root>();
  readonly #fresh = new Set<Root>();
  readonly #again = new Set<Root>();
  #running = 0;
  #isStopped = false;

  constructor(parts: IndexFetchesParts) {
    this.#parts = parts;
    this.#timers = new Timers(parts.clock);
  }

  /** Known twice is the same as once. */
  want(root: Root): void {
    if (this.#isStopped || this.#pending.has(root)) return;
    this.#pending.add(root);
    this.#fresh.add(root);
    this.#run();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timers.stop();
  }

  #run(): void {
    while (this.#running < AT_ONCE && !this.#isStopped) {
      const root = takeFirst(this.#fresh) ?? takeFirst(this.#again);
      if (root === undefined) return;
      this.#running++;
      void this.#fetch(root).finally(() => {
        this.#running--;
        this.#run();
      });
    }
  }

  /** Never rejects. */
  async #fetch(root: Root): Promise<void> {
    const { fetchIndex, isMissing, fetched, log } = this.#parts;
    try {
      if (isMissing(root)) await fetchIndex(root);
      if (this.#isStopped) return;
      fetched(root);
    } catch (error) {
      log.debug({ root, err: error }, 'the index of a volume could not be fetched');
    }
    if (isMissing(root)) this.#later(root);
    else this.#done(root);
  }

  #done(root: Root): void {
    this.#pending.delete(root);
    this.#backoff.accepted(root);
  }

  #later(root: Root): void {
    const { clock } = this.#parts;
    const delayMs = this.#backoff.refused(root, clock.now());
    this.#timers.after(delayMs * (1 + clock.random() / 2), () => {
      if (this.#parts.isMissing(root)) this.#again.add(root);
      else this.#done(root);
      this.#run();
    });
  }
}

function takeFirst<T>(queue: Set<T>): T | undefined {
  for (const first of queue) {
    queue.delete(first);
    return first;
  }
  return undefined;
}
