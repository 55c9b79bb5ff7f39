/** How much of a volume this node holds. Looks at every block's file: for people and for usage. */
import { statSync } from 'node:fs';
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
  let distinct = 0;
  let count = 0;
  let bytes = 0;
  for (const i of distinctBlocks(index)) {
    distinct++;
    if (!blocks.has(index.blockId(i))) continue;
    count++;
    bytes += bytesOf(index, i);
  }
  return { distinct, count, bytes };
}

/** Their numbers, each at its first place. */
function* distinctBlocks(index: VolumeIndex): Generator<number> {
  const seen = new IdSet();
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    if (seen.has(id)) continue;
    seen.add(id);
    yield i;
  }
}

function bytesOf(index: VolumeIndex, i: number): number {
  return index.offset(i + 1) - index.offset(i);
}

/**
 * Bytes of a volume that is coming, to be asked again and again: a block that has come is not looked for again, and others wait for that as little as
 * possible.
 */
export function bytesComing(index: VolumeIndex, blocks: Pick<BlockStore, 'has'>): () => Promise<number> {
  let absent = [...distinctBlocks(index)];
  let bytes = 0;
  return async () => {
    const still: number[] = [];
    for (const [n, i] of absent.entries()) {
      if (n % AT_ONCE === 0) await new Promise(setImmediate);
      if (blocks.has(index.blockId(i))) bytes += bytesOf(index, i);
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
  let bytes = 0;
  let n = 0;
  for (const i of distinctBlocks(index)) {
    if (n++ % AT_ONCE === 0) await new Promise(setImmediate);
    const file = statSync(blocks.path(index.blockId(i)), { throwIfNoEntry: false });
    if (file && file.mtimeMs < timeMs) bytes += bytesOf(index, i);
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
      const bytes = bytesOf(index, i);
      sum.bytes += bytes;
      if (!blocks.has(id)) continue;
      sum.countHere++;
      sum.bytesHere += bytes;
    }
  }
  return sum;
}
