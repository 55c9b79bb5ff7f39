/** Reads what is sent: blocks one by one, and volumes as an index with their compressed metadata blocks. */
import { pipeline } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { AbsentError } from './errors.ts';
import { PIECE_BYTES } from './limits.ts';

/** Blocks read ahead of the one that is being sent, in one call. */
const READ_AHEAD = 4;

/** The blocks in order, checked as they are read; undefined for one that is not here. A few are read at the same time. */
export async function* readBlocks(
  blocks: BlockStore,
  ids: readonly BlockId[],
): AsyncGenerator<Buffer | undefined> {
  const reads: Promise<Buffer | undefined>[] = [];
  for (let next = 0; next < ids.length || reads.length > 0; ) {
    while (reads.length < READ_AHEAD && next < ids.length) {
      const read = blocks.get(ids[next++]!);
      read.catch(() => {}); // its turn to be awaited may never come
      reads.push(read);
    }
    yield await reads.shift()!;
  }
}

/** The distinct metadata blocks, in the order of the index. */
export function metadataBlocks(index: VolumeIndex): BlockId[] {
  const ids = new Set<BlockId>();
  for (let i = 0; i < index.blockCount; i++) if (index.isMetadata(i)) ids.add(index.blockId(i));
  return [...ids];
}

/** A volume's index in its canonical encoding. Throws AbsentError. */
export async function readIndex(
  volumes: VolumeStore,
  root: Root,
): Promise<{ index: VolumeIndex; encoded: Buffer }> {
  const [index, encoded] = [await volumes.get(root), await volumes.encoded(root)];
  if (!index || !encoded) throw new AbsentError(`volume ${root} is not here`);
  return { index, encoded };
}

/** The metadata blocks joined, as one zstd frame, in pieces. Throws AbsentError when one of them is not here. */
export async function* compressedMetadata(blocks: BlockStore, index: VolumeIndex): AsyncGenerator<Buffer> {
  async function* whole() {
    for await (const block of readBlocks(blocks, metadataBlocks(index))) {
      if (!block) throw new AbsentError(`volume ${index.root} lacks a metadata block`);
      yield block;
    }
  }
  // The loop over the compressor's output sees an error of any part of the pipeline.
  yield* pipeline(whole, createZstdCompress({ chunkSize: PIECE_BYTES }), () => {}) as AsyncIterable<Buffer>;
}

/** Cuts bytes into pieces for messages, without copying. */
export function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
