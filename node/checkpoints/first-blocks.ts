/** Brings the blocks of a checkpoint's memory that a restore needs first, ahead of whoever reads them. */
import type { Logger } from 'pino';
import type { BlockStore, VolumeIndex } from '../../blocks/types.ts';
import type { StoredObject } from '../../peers/directory/types.ts';
import type { Neighbours } from '../../peers/types.ts';
import type { Touched } from '../../shim/protocol.ts';
import { atOnce } from '../at-once.ts';
import { loadObject } from '../image-refs-object.ts';
import { decodeWorkingSet, MemoryMap } from './working-set.ts';

export interface FirstBlocks {
  /** Ends when they are here, or on abort; the restore does not wait for it, and goes on without. `workingSet`: of the checkpoint's record. */
  bring(workingSet: StoredObject | undefined, signal: AbortSignal): Promise<void>;
  /** Numbers of the blocks that hold these pages. */
  of(pages: Touched): Uint32Array;
}

interface Parts {
  neighbours: Pick<Neighbours, 'want'>;
  blocks: BlockStore;
  log: Logger;
}

/** Blocks under way at once. */
const AT_ONCE = 64;
/** Little, since it is a guess: whatever somebody waits for comes before it on the link, but shares the processors with it. */
const LIKELY_BYTES = 4 << 20;

/** `index`: of the memory volume, whose metadata is here. */
export async function firstBlocks(
  { neighbours, blocks, log }: Parts,
  index: VolumeIndex,
): Promise<FirstBlocks> {
  const map = await MemoryMap.read(index, blocks);

  async function prefetch(order: Uint32Array, signal: AbortSignal): Promise<void> {
    await atOnce(order, AT_ONCE, async (i) => {
      if (!signal.aborted)
        await neighbours.want(index.blockId(i), 'prefetch', signal, index.root).catch(() => {});
    });
  }

  async function known(workingSet: StoredObject, signal: AbortSignal): Promise<Uint32Array> {
    const want = (block: string) => neighbours.want(block, 'demand', signal);
    return decodeWorkingSet(await loadObject(workingSet, blocks, want, signal), index.blockCount);
  }

  return {
    async bring(workingSet, signal) {
      try {
        const first = prefetch(map.readFirst(), signal);
        await prefetch(workingSet ? await known(workingSet, signal) : map.likelyFirst(LIKELY_BYTES), signal);
        await first;
      } catch (err) {
        if (!signal.aborted) log.warn({ err, root: index.root }, 'memory comes in the order of its faults');
      }
    },
    of: (pages) => map.blocksOf(pages),
  };
}
