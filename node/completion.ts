/**
 * Brings in the rest of every volume that an active snapshot uses, behind everything else, so that a node which is cut
 * off later has all that it runs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BlockStore, Root, VolumeStore } from '../blocks/types.ts';
import type { Neighbours } from '../peers/types.ts';

/** Wants under way at once: enough to fill a link, few enough that the task's queue stays short. */
const WANTS_MAX = 64;
/** Between looks whether it may go on. */
const LOOK_MS = 200;
/** A block that nobody has now is asked for again after this. */
const RETRY_MS = 5000;

export interface Completion {
  /** Replaces the set of volumes to complete. */
  follow(roots: ReadonlySet<Root>): void;
  stop(): void;
}

interface Parts {
  blocks: BlockStore;
  volumes: VolumeStore;
  neighbours: Neighbours;
  /** Something else needs the links more: nothing new is asked for as long. */
  waits: () => boolean;
  logger: Logger;
}

export function createCompletion({ blocks, volumes, neighbours, waits, logger }: Parts): Completion {
  const following = new Map<Root, AbortController>();

  /** One pass over the volume. Answers how many blocks could not be had. */
  async function pass(root: Root, signal: AbortSignal): Promise<number> {
    const index = await volumes.get(root);
    if (index === undefined) return 0;
    const wants = new Set<Promise<void>>();
    let failed = 0;
    for (let i = 0; i < index.blockCount && !signal.aborted; i++) {
      const id = index.blockId(i);
      if (blocks.has(id)) continue;
      while (waits() && !signal.aborted) await sleep(LOOK_MS, undefined, { ref: false });
      const want = neighbours
        .want(id, 'completion', signal, root)
        .catch(() => {
          failed++;
        })
        .finally(() => wants.delete(want));
      wants.add(want);
      if (wants.size >= WANTS_MAX) await Promise.race(wants);
    }
    await Promise.all(wants);
    return failed;
  }

  async function complete(root: Root, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const failed = await pass(root, signal);
      if (failed === 0) break;
      logger.info({ root, failed }, 'blocks could not be had yet, the volume is completed later');
      await sleep(RETRY_MS, undefined, { signal, ref: false });
    }
    if (!signal.aborted) await blocks.sync();
  }

  return {
    follow(roots) {
      for (const [root, controller] of following) {
        if (roots.has(root)) continue;
        following.delete(root);
        controller.abort();
      }
      for (const root of roots) {
        if (following.has(root)) continue;
        const controller = new AbortController();
        following.set(root, controller);
        complete(root, controller.signal).catch((error: unknown) => {
          if (!controller.signal.aborted) logger.error({ root, err: error }, 'completion failed');
        });
      }
    },
    stop() {
      for (const controller of following.values()) controller.abort();
      following.clear();
    },
  };
}
