/**
 * An EROFS image becomes a volume: cut into blocks, hashed, stored, named by an index.
 *
 * Order of effects: blocks are put; one sync; the index is published last. Killed anywhere, it leaves whole blocks.
 */
import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { blockIdOf } from './block.ts';
import { BLOCK_SIZES, type BlockSizes, type Chunk, chunks } from './chunker.ts';
import { metadataPages } from './erofs.ts';
import { type BlockStore, PAGE_BYTES, type Root, type VolumeStore } from './types.ts';
import { type BlockEntry, encodeIndex, rootOf } from './volume.ts';

export interface Stores {
  blocks: BlockStore;
  volumes: VolumeStore;
}

export interface Image {
  path: string;
  format: string;
  sizes?: BlockSizes;
}

export interface StoredImage extends Counts {
  root: Root;
  format: string;
  sizeBytes: number;
  metadataBytes: number;
}

/** Distinct blocks that the store lacked, and that it had. */
interface Counts {
  newBlocks: number;
  newBytes: number;
  sharedBlocks: number;
  sharedBytes: number;
}

/** Puts in flight at once: enough to keep a disk busy, few megabytes. */
const PUTS_MAX = 16;

/** Puts what the store lacks (what it has is compared and, if need be, healed), then publishes the index. */
export async function storeImage(
  { path, format, sizes = BLOCK_SIZES }: Image,
  { blocks, volumes }: Stores,
  signal?: AbortSignal,
): Promise<StoredImage> {
  const file = await open(path);
  try {
    const { size: sizeBytes } = await file.stat();
    const metadata = metadataPages(
      (into, position) => readSync(file.fd, into, 0, into.length, position),
      sizeBytes,
    );
    const readAt = async (into: Buffer, position: number) =>
      (await file.read(into, 0, into.length, position)).bytesRead;
    const cut = chunks(readAt, sizeBytes, (page) => metadata.has(page), sizes);
    const { entries, ...counts } = await putAll(cut, blocks, signal);
    await blocks.sync();
    const encoded = encodeIndex(format, entries);
    const root = rootOf(encoded);
    await volumes.put(root, encoded);
    return { root, format, sizeBytes, metadataBytes: metadata.size * PAGE_BYTES, ...counts };
  } finally {
    await file.close();
  }
}

async function putAll(
  cut: AsyncIterable<Chunk>,
  blocks: BlockStore,
  signal: AbortSignal | undefined,
): Promise<Counts & { entries: BlockEntry[] }> {
  const entries: BlockEntry[] = [];
  const counts: Counts = { newBlocks: 0, newBytes: 0, sharedBlocks: 0, sharedBytes: 0 };
  const seen = new Set<string>();
  let batch: Array<{ id: string; bytes: Buffer }> = [];
  const flush = async () => {
    const puts = batch.map(({ id, bytes }) => blocks.put(id, bytes));
    batch = [];
    await Promise.all(puts);
  };
  for await (const { bytes, metadata } of cut) {
    signal?.throwIfAborted();
    const id = blockIdOf(bytes);
    entries.push({ id, sizeBytes: bytes.length, metadata });
    if (seen.has(id)) continue;
    seen.add(id);
    count(counts, blocks.has(id), bytes.length);
    batch.push({ id, bytes });
    if (batch.length === PUTS_MAX) await flush();
  }
  await flush();
  return { entries, ...counts };
}

function count(counts: Counts, isShared: boolean, bytes: number): void {
  if (isShared) {
    counts.sharedBlocks++;
    counts.sharedBytes += bytes;
  } else {
    counts.newBlocks++;
    counts.newBytes += bytes;
  }
}
