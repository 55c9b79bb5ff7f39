/**
 * Answers the volume server's one request, "bring this block": a container waits on each of these.
 */
import type { BlockId, Root, VolumeIndex, VolumeStore } from '../blocks/types.ts';
import type { Neighbours } from '../peers/types.ts';
import { createReadahead } from './readahead.ts';

export interface Demand {
  /** Resolves when the block is in the store; rejects when it cannot be had within the configured bound. */
  bring(root: Root, id: BlockId, signal: AbortSignal): Promise<void>;
  /** Requests so far. */
  total(): number;
  /** Requests that wait now. */
  waiting(): number;
}

export function createDemand(volumes: VolumeStore, neighbours: Neighbours): Demand {
  const readahead = createReadahead();
  let total = 0;
  let waiting = 0;

  function prefetchBehind(root: Root, index: VolumeIndex, i: number): void {
    if (i < 0) return;
    const { from, to } = readahead.demanded(root, i, index.blockCount);
    for (let next = from; next < to; next++) {
      neighbours.want(index.blockId(next), 'prefetch', undefined, root).catch(() => {
        // A guess that did not come is no loss: the reader demands the block if it gets there.
      });
    }
  }

  return {
    async bring(root, id, signal) {
      total++;
      waiting++;
      try {
        const wanted = neighbours.want(id, 'demand', signal, root);
        const index = await volumes.get(root);
        if (index !== undefined) prefetchBehind(root, index, positionOf(index, id));
        await wanted;
      } finally {
        waiting--;
      }
    },
    total: () => total,
    waiting: () => waiting,
  };
}

/** A linear search: a few hundred microseconds beside a network round trip, for the volume of a large layer. */
function positionOf(index: VolumeIndex, id: BlockId): number {
  for (let i = 0; i < index.blockCount; i++) if (index.blockId(i) === id) return i;
  return -1;
}
