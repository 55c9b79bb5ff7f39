/** How much of a volume this node holds. Looks at every block's file: for people and for usage, not for polling. */
import type { BlockId, BlockStore, VolumeIndex } from '../blocks/types.ts';

export interface BlocksHere {
  /** Distinct blocks of the volume, and those of them that are here. */
  distinct: number;
  count: number;
  bytes: number;
}

export function blocksHere(index: VolumeIndex, blocks: Pick<BlockStore, 'has'>): BlocksHere {
  const seen = new Set<BlockId>();
  let count = 0;
  let bytes = 0;
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    if (seen.has(id)) continue;
    seen.add(id);
    if (!blocks.has(id)) continue;
    count++;
    bytes += index.offset(i + 1) - index.offset(i);
  }
  return { distinct: seen.size, count, bytes };
}
