/**
 * Answers the volume server's one request, "bring this block": a container waits on each of these.
 */
import type { BlockId, Root, VolumeIndex, VolumeStore } from '../blocks/types.ts';
import type { Neighbours } from '../peers/types.ts';
import { createReadahead } from './readahead.ts';

export interface Demand {
  /** Resolves when the block is in the store; rejects when it cannot be had within the configured bound. */
  bring(root: Root, id: BlockId, signal: AbortSignal): Promise<void>;
  /**
   * Gives up what waits for this volume, which no container uses any longer. Its readers are gone, but the kernel's
   * read-ahead still waits, and an unmount would wait for that.
   */
  abandon(root: Root): void;
  /** Requests so far. */
  total(): number;
  /** Requests that wait now. */
  waiting(): number;
}

export function createDemand(volumes: VolumeStore, neighbours: Neighbours): Demand {
  const readahead = createReadahead();
  const waitingFor = new Map<Root, Set<AbortController>>();
  let total = 0;
  let waiting = 0;

  /** Runs `work` with a signal that `signal` or `abandon(root)` aborts. */
  async function abandonable(root: Root, signal: AbortSignal, work: (by: AbortSignal) => Promise<void>) {
    const controller = new AbortController();
    const controllers = waitingFor.get(root) ?? new Set();
    waitingFor.set(root, controllers.add(controller));
    const onAbort = () => controller.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    try {
      await work(controller.signal);
    } finally {
      signal.removeEventListener('abort', onAbort);
      controllers.delete(controller);
      if (controllers.size === 0 && waitingFor.get(root) === controllers) waitingFor.delete(root);
    }
  }

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
        await abandonable(root, signal, async (by) => {
          const wanted = neighbours.want(id, 'demand', by, root);
          const index = await volumes.get(root);
          if (index !== undefined) prefetchBehind(root, index, index.positionOf(id));
          await wanted;
        });
      } finally {
        waiting--;
      }
    },
    abandon(root) {
      for (const controller of waitingFor.get(root) ?? [])
        controller.abort(new Error('nobody uses the volume any longer'));
    },
    total: () => total,
    waiting: () => waiting,
  };
}
