/**
 * Makes a volume of a neighbour's answer: index, then metadata blocks.
 *
 * Order of effects: the whole index is read and must hash to the root; each metadata block is checked and put; the store is
 * synced; the index is published last. An index alone is published at once: it says what the cluster keeps, not what is here.
 */
import { pipeline } from 'node:stream';
import { constants, createZstdDecompress } from 'node:zlib';
import { blockIdOf } from '../../blocks/block.ts';
import type { BlockStore, Root, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { decodeIndex } from '../../blocks/volume.ts';
import type { peer } from '../../proto/peer.ts';
import { MAX_INDEX_REPLY_BYTES, MAX_METADATA_BYTES } from './limits.ts';
import { metadataOf } from './sending.ts';
import { WireError } from './wire.ts';

/** The most memory that a zstd frame may make us take: the windows of our own level are smaller. */
const ZSTD_WINDOW_LOG_MAX = 23;
const CHUNK_BYTES = 256 * 1024;

export interface Stores {
  blocks: BlockStore;
  volumes: VolumeStore;
}

/** Throws WireError (or zlib's error) for an answer that is not the volume `root`; `heard` is told of bytes as they come. */
export async function receiveVolume(
  replies: AsyncIterable<peer.GetVolumeReply>,
  root: Root,
  { blocks, volumes }: Stores,
  heard: (bytes: number) => void,
): Promise<VolumeIndex> {
  const incoming = replies[Symbol.asyncIterator]();
  try {
    const { encoded, index, first } = await readIndex(incoming, root, heard);
    await storeMetadata(metadataPieces(first, incoming, heard), index, blocks);
    await blocks.sync();
    return await volumes.put(root, encoded);
  } finally {
    await incoming.return?.();
  }
}

/** The index alone. Throws WireError for an answer that is not the index of `root`. */
export async function receiveIndex(
  replies: AsyncIterable<peer.GetVolumeReply>,
  root: Root,
  volumes: VolumeStore,
  heard: (bytes: number) => void,
): Promise<VolumeIndex> {
  const incoming = replies[Symbol.asyncIterator]();
  try {
    const { encoded, first } = await readIndex(incoming, root, heard);
    if (first) throw new WireError('metadata that was not asked for');
    return await volumes.put(root, encoded);
  } finally {
    await incoming.return?.();
  }
}

type Incoming = AsyncIterator<peer.GetVolumeReply>;

/** Reads to the first piece of metadata, or to the end. */
async function readIndex(incoming: Incoming, root: Root, heard: (bytes: number) => void) {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  let first: Uint8Array | undefined;
  while (first === undefined) {
    const { value: reply, done } = await incoming.next();
    if (done) break;
    const piece = reply.getIndex_asU8();
    const metadata = reply.getMetadataZstd_asU8();
    if (piece.length + metadata.length === 0) throw new WireError('an empty piece of a volume');
    heard(piece.length);
    bytes += piece.length;
    if (bytes > MAX_INDEX_REPLY_BYTES) throw new WireError('an index beyond all bounds');
    pieces.push(piece);
    if (metadata.length > 0) first = metadata;
  }
  const encoded = Buffer.concat(pieces);
  if (blockIdOf(encoded) !== root) throw new WireError(`the index of another volume than ${root}`);
  return { encoded, index: decodeIndex(encoded), first };
}

async function* metadataPieces(
  first: Uint8Array | undefined,
  incoming: Incoming,
  heard: (bytes: number) => void,
) {
  for (let piece = first; piece; ) {
    heard(piece.length);
    yield piece;
    const { value: reply, done } = await incoming.next();
    if (done) return;
    if (reply.getIndex_asU8().length > 0) throw new WireError('a piece of the index behind the metadata');
    piece = reply.getMetadataZstd_asU8();
    if (piece!.length === 0) throw new WireError('an empty piece of a volume');
  }
}

/** Decompresses, cuts into the blocks that the index names, and puts each (which checks it), those of a chunk side by side. */
async function storeMetadata(
  pieces: AsyncIterable<Uint8Array>,
  index: VolumeIndex,
  blocks: BlockStore,
): Promise<void> {
  const expected = metadataOf(index);
  const totalBytes = expected.reduce((sum, { length }) => sum + length, 0);
  if (totalBytes > MAX_METADATA_BYTES) throw new WireError(`${totalBytes} bytes of metadata`);
  const params = { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX };
  const decompress = createZstdDecompress({ chunkSize: CHUNK_BYTES, params });
  let next = 0;
  let parts: Buffer[] = [];
  let have = 0;
  // The loop over the decompressor's output sees an error of any part of the pipeline.
  for await (let chunk of pipeline(pieces, decompress, () => {}) as AsyncIterable<Buffer>) {
    const puts: Promise<void>[] = [];
    while (chunk.length > 0) {
      const block = expected[next];
      if (!block) throw new WireError('metadata beyond what the index names');
      const part = chunk.subarray(0, block.length - have);
      chunk = chunk.subarray(part.length);
      parts.push(part);
      have += part.length;
      if (have < block.length) continue;
      const put = blocks.put(block.id, parts.length === 1 ? part : Buffer.concat(parts, have));
      put.catch(() => {}); // it is heard of below, or an earlier error is
      puts.push(put);
      next++;
      parts = [];
      have = 0;
    }
    await Promise.all(puts);
  }
  if (next < expected.length) throw new WireError('metadata ends early');
}
