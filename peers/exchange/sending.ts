/** Reads a volume that is sent: its index, and its metadata blocks, compressed. */
import { pipeline } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { AbsentError } from './errors.ts';
import { PIECE_BYTES } from './limits.ts';

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
    for (const id of metadataBlocks(index)) {
      const block = await blocks.get(id);
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
