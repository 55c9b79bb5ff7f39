/** How much a node keeps beyond what it must: by configuration, and for a while less, when a person asks for room. */
import type { Limits } from '../peers/placement/custody.ts';
import type { Config } from './config/config.ts';

export interface CacheLimits {
  now(): Limits;
  /** While `work` runs, whatever may go at all goes at once. */
  tight<T>(work: () => Promise<T>): Promise<T>;
}

/** A node that gives everything away keeps nothing that it need not. */
export function createLimits(cache: Config['cache'], isDraining: () => boolean): CacheLimits {
  let tight = 0;
  return {
    now: () => ({
      maxBytes: cache.max_bytes || Number.MAX_SAFE_INTEGER,
      minFreeBytes: cache.min_free_bytes,
      idleMs: tight > 0 || isDraining() ? 0 : cache.idle_seconds * 1000,
      fetchBytesPerSecond: cache.repair_bytes_per_second,
    }),
    async tight(work) {
      tight++;
      try {
        return await work();
      } finally {
        tight--;
      }
    },
  };
}
