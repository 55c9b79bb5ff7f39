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
import type { BlockStore, Root, VolumeStore } from './types.ts';
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

/** A block in its place: with its bytes, or the name of one that the store has. */
export type Piece = Chunk | BlockEntry;

/** Cuts the image; see `storeVolume`. */
export async function storeImage(
  { path, format, sizes = BLOCK_SIZES }: Image,
  stores: Stores,
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
    return await storeVolume(format, cut, stores, signal);
  } finally {
    await file.close();
  }
}

/** Puts what the store lacks (what it has is compared and, if need be, healed), then publishes the index. */
export async function storeVolume(
  format: string,
  pieces: AsyncIterable<Piece>,
  { blocks, volumes }: Stores,
  signal?: AbortSignal,
): Promise<StoredImage> {
  const { entries, ...counts } = await putAll(pieces, blocks, signal);
  await blocks.sync();
  const encoded = encodeIndex(format, entries);
  const root = rootOf(encoded);
  await volumes.put(root, encoded);
  const metadata = entries.filter((entry) => entry.metadata);
  return { root, format, sizeBytes: bytesOf(entries), metadataBytes: bytesOf(metadata), ...counts };
}

function bytesOf(entries: readonly BlockEntry[]): number {
  return entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

async function putAll(
  pieces: AsyncIterable<Piece>,
  blocks: BlockStore,
  signal: AbortSignal | undefined,
): Promise<Counts & { entries: BlockEntry[] }> {
  const entries: BlockEntry[] = [];
  const counts: Counts = { newBlocks: 0, newBytes: 0, sharedBlocks: 0, sharedBytes: 0 };
  const seen = new Set<string>();
  const puts = new Puts(blocks);
  for await (const piece of pieces) {
    signal?.throwIfAborted();
    const entry = 'bytes' in piece ? entryOf(piece) : piece;
    entries.push(entry);
    if (seen.has(entry.id)) continue;
    seen.add(entry.id);
    count(counts, blocks.has(entry.id), entry.sizeBytes);
    if ('bytes' in piece) await puts.add(entry.id, piece.bytes);
  }
  await puts.end();
  return { entries, ...counts };
}

function entryOf({ bytes, metadata }: Chunk): BlockEntry {
  return { id: blockIdOf(bytes), sizeBytes: bytes.length, metadata };
}

/** Keeps the store busy while the next blocks are cut and hashed. */
class Puts {
  readonly #blocks: BlockStore;
  #batch: Promise<void>[] = [];

  constructor(blocks: BlockStore) {
    this.#blocks = blocks;
  }

  /** Rejects with what an earlier put has failed with. */
  async add(id: string, bytes: Buffer): Promise<void> {
    this.#batch.push(this.#blocks.put(id, bytes));
    if (this.#batch.length === PUTS_MAX) await this.end();
  }

  async end(): Promise<void> {
    const batch = this.#batch;
    this.#batch = [];
    await Promise.all(batch);
  }
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
