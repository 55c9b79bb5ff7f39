/** How much of a volume this node holds. Looks at every block's file: for people and for usage. */
import { stat } from 'node:fs/promises';
import { IdSet } from '../blocks/id-set.ts';
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../blocks/types.ts';

/** Looked at before anything else has its turn: a millisecond's work. */
const AT_ONCE = 128;

export interface BlocksHere {
  /** Distinct blocks of the volume, and those of them that are here. */
  distinct: number;
  count: number;
  bytes: number;
}

export function blocksHere(index: VolumeIndex, blocks: Pick<BlockStore, 'has'>): BlocksHere {
  const seen = new IdSet();
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

/**
 * Bytes of a volume that is coming, to be asked again and again: a block that has come is not looked for again, and others wait for that as little as
 * possible.
 */
export function bytesComing(index: VolumeIndex, blocks: Pick<BlockStore, 'has'>): () => Promise<number> {
  const seen = new IdSet();
  let absent: number[] = [];
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    if (seen.has(id)) continue;
    seen.add(id);
    absent.push(i);
  }
  let bytes = 0;
  return async () => {
    const still: number[] = [];
    for (const [n, i] of absent.entries()) {
      if (n % AT_ONCE === 0) await new Promise(setImmediate);
      if (blocks.has(index.blockId(i))) bytes += index.offset(i + 1) - index.offset(i);
      else still.push(i);
    }
    absent = still;
    return bytes;
  };
}

/** Bytes of the volume's distinct blocks that were here before that time, in milliseconds since 1970. */
export async function bytesBefore(
  index: VolumeIndex,
  blocks: Pick<BlockStore, 'path'>,
  timeMs: number,
): Promise<number> {
  const seen = new IdSet();
  let bytes = 0;
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    if (seen.has(id)) continue;
    seen.add(id);
    const { mtimeMs } = await stat(blocks.path(id)).catch(() => ({ mtimeMs: Number.NaN }));
    if (mtimeMs < timeMs) bytes += index.offset(i + 1) - index.offset(i);
  }
  return bytes;
}

export interface BlocksOfAll {
  /** Bytes of the distinct blocks of all volumes, and what of them is here. */
  bytes: number;
  countHere: number;
  bytesHere: number;
}

/** The same over several volumes, as far as their indexes are here; only of blocks that `counts`. */
export async function blocksOfAll(
  roots: Iterable<Root>,
  volumes: Pick<VolumeStore, 'get'>,
  blocks: Pick<BlockStore, 'has'>,
  counts: (id: BlockId) => boolean = () => true,
): Promise<BlocksOfAll> {
  const seen = new IdSet();
  const sum = { bytes: 0, countHere: 0, bytesHere: 0 };
  for (const root of roots) {
    const index = await volumes.get(root);
    for (let i = 0; index && i < index.blockCount; i++) {
      const id = index.blockId(i);
      if (seen.has(id) || !counts(id)) continue;
      seen.add(id);
      const bytes = index.offset(i + 1) - index.offset(i);
      sum.bytes += bytes;
      if (!blocks.has(id)) continue;
      sum.countHere++;
      sum.bytesHere += bytes;
    }
  }
  return sum;
}
