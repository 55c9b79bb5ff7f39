/** What is on the disk, as custody asks for it. Reads every block's file status: for a look every minute or so, not for each read. */
import { statfsSync, statSync } from 'node:fs';
import type { BlockStore } from '../blocks/types.ts';
import type { HeldBlock } from '../peers/placement/custody.ts';
import type { Holdings } from '../peers/placement/types.ts';
import type { InUse } from './in-use.ts';

/** `root` is on the file system whose free space counts. */
export function createHoldings(root: string, blocks: BlockStore, inUse: InUse): Holdings {
  return {
    *held(): Iterable<HeldBlock> {
      for (const id of blocks.ids()) {
        const status = statSync(blocks.path(id), { throwIfNoEntry: false });
        if (status === undefined) continue;
        // Readers do not pass through this process: the kernel notes when a file was read.
        const { size: sizeBytes, atimeMs, mtimeMs } = status;
        yield { id, sizeBytes, lastUseMs: Math.max(atimeMs, mtimeMs) };
      }
    },
    usedBytes: () => blocks.stats().bytes,
    freeBytes() {
      const { bavail, bsize } = statfsSync(root);
      return bavail * bsize;
    },
    isInUse: (id) => inUse.has(id),
  };
}

/** The size of the file system that `root` is on. */
export function diskBytes(root: string): number {
  const { blocks, bsize } = statfsSync(root);
  return blocks * bsize;
}
