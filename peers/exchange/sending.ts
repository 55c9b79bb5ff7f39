/** Reads a volume that is sent: its index, and its metadata blocks, compressed. */
import { pipeline } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { AbsentError } from './errors.ts';
import { PIECE_BYTES } from './limits.ts';

/** The distinct metadata blocks with their lengths, in the order of the index. */
export function metadataOf(index: VolumeIndex): { id: BlockId; length: number }[] {
  const lengths = new Map<BlockId, number>();
  for (let i = 0; i < index.blockCount; i++) {
    if (index.isMetadata(i)) lengths.set(index.blockId(i), index.offset(i + 1) - index.offset(i));
  }
  return [...lengths].map(([id, length]) => ({ id, length }));
}

export function metadataBlocks(index: VolumeIndex): BlockId[] {
  return metadataOf(index).map(({ id }) => id);
}

/** Metadata blocks are small and many: read side by side, up to this many bytes. */
const BATCH_BYTES = 1 << 20;

function* batches(index: VolumeIndex): Generator<BlockId[]> {
  let batch: BlockId[] = [];
  let bytes = 0;
  for (const { id, length } of metadataOf(index)) {
    if (bytes + length > BATCH_BYTES && batch.length > 0) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(id);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
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
    for (const batch of batches(index)) {
      const read = await Promise.all(batch.map((id) => blocks.get(id)));
      const found = read.filter((block) => block !== undefined);
      if (found.length < batch.length) throw new AbsentError(`volume ${index.root} lacks a metadata block`);
      yield Buffer.concat(found);
    }
  }
  // The loop over the compressor's output sees an error of any part of the pipeline.
  yield* pipeline(whole, createZstdCompress({ chunkSize: PIECE_BYTES }), () => {}) as AsyncIterable<Buffer>;
}

/** Cuts bytes into pieces for messages, without copying. */
export function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) yield bytes.subarray(at, at + PIECE_BYTES);
}
