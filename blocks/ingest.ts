/**
 * Makes a volume of a layer: its tree (from its tar, checked against its diffID, or from its unpacked directory) becomes
 * an EROFS image, the image becomes blocks, the blocks an index.
 *
 * Order of effects: the image is built in a folder of its own and cut; blocks are put; one sync; the index is published
 * last. Killed anywhere, it leaves whole blocks and its folder, which the caller removes.
 */
import { readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { blockIdOf } from './block.ts';
import { type Chunk, chunks } from './chunker.ts';
import { metadataPages } from './erofs.ts';
import { type Compression, formatId, mkfsOptions } from './format.ts';
import { lowerDirectoryIn } from './layer-lower.ts';
import { canonicalTar, isUnsupported, spool, treeOf, walkedTar } from './layer-source.ts';
import { walkDirectory } from './layer-walk.ts';
import { makeImage } from './mkfs.ts';
import {
  type BlockStore,
  type ChainId,
  type DiffId,
  PAGE_BYTES,
  type Root,
  type VolumeStore,
} from './types.ts';
import { type BlockEntry, encodeIndex, rootOf } from './volume.ts';

export interface IngestJob {
  chainId: ChainId;
  /** chainID of the layer below, '' for the lowest. */
  parent: ChainId | '';
  /** What the tar must hash to; '' when there is no tar. */
  diffId: DiffId | '';
  /** The unpacked directory: taken when there is no tar, or one that we cannot do exactly. */
  directory: string;
  /** Directories of the layers below, nearest first. */
  lowers: string[];
  compression: Compression;
  /** An empty folder for the blob, the image and mkfs.erofs's own files; at most about twice the unpacked layer. */
  workDir: string;
  /** mkfs.erofs of erofs-utils 1.8 or newer; default `FORAGE_MKFS_EROFS`, else the one in PATH. */
  mkfs?: string;
}

export interface IngestResult {
  root: Root;
  format: string;
  sizeBytes: number;
  metadataBytes: number;
  diffId: DiffId | '';
  origin: 'ingested' | 'walked';
  /** Why the tar was not taken, when there was one. */
  walkedBecause?: string;
  /** Distinct blocks that the store lacked, and that it had. */
  newBlocks: number;
  newBytes: number;
  sharedBlocks: number;
  sharedBytes: number;
}

interface Stores {
  blocks: BlockStore;
  volumes: VolumeStore;
}

/** Puts in flight at once: enough to keep a disk busy, few megabytes. */
const PUTS_MAX = 16;

/**
 * `tar` is the layer's blob as stored (gzip, zstd or plain). Rejects with `DiffIdMismatchError` when it is another layer's;
 * nothing is stored then.
 */
export async function ingestLayer(
  job: IngestJob,
  tar: AsyncIterable<Uint8Array> | null,
  stores: Stores,
  signal?: AbortSignal,
): Promise<IngestResult> {
  const { archive, origin, walkedBecause } = await archiveOf(job, tar);
  const image = join(job.workDir, 'image');
  const options = mkfsOptions(job.chainId, job.compression);
  const program = job.mkfs ?? process.env.FORAGE_MKFS_EROFS ?? 'mkfs.erofs';
  await makeImage({ program, options, tempDir: job.workDir, signal }, archive, image);
  const { entries, ...totals } = await storeImage(image, stores.blocks, signal);
  await stores.blocks.sync();
  const format = formatId(origin === 'ingested' ? 'tar' : 'walk', job.compression);
  const encoded = encodeIndex(format, entries);
  const root = rootOf(encoded);
  await stores.volumes.put(root, encoded);
  return { root, format, diffId: job.diffId, origin, ...(walkedBecause ? { walkedBecause } : {}), ...totals };
}

interface Archive {
  archive: AsyncIterable<Buffer>;
  origin: IngestResult['origin'];
  walkedBecause?: string;
}

async function archiveOf(job: IngestJob, tar: AsyncIterable<Uint8Array> | null): Promise<Archive> {
  const walked = (): Archive => ({ archive: walkedTar(walkDirectory(job.directory)), origin: 'walked' });
  if (tar === null || job.diffId === '') return walked();
  const blob = join(job.workDir, 'blob');
  await spool(tar, blob);
  try {
    const tree = await treeOf(blob, job.diffId, job.parent === '', lowerDirectoryIn(job.lowers));
    return { archive: canonicalTar(blob, tree), origin: 'ingested' };
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    return { ...walked(), walkedBecause: error.message };
  }
}

/** Cuts the image and puts what the store lacks (what it has is compared and, if need be, healed). */
async function storeImage(
  path: string,
  blocks: BlockStore,
  signal: AbortSignal | undefined,
): Promise<Counts & { entries: BlockEntry[]; sizeBytes: number; metadataBytes: number }> {
  const file = await open(path);
  try {
    const { size: sizeBytes } = await file.stat();
    const metadata = metadataPages(
      (into, position) => readSync(file.fd, into, 0, into.length, position),
      sizeBytes,
    );
    const readAt = async (into: Buffer, position: number) =>
      (await file.read(into, 0, into.length, position)).bytesRead;
    const cut = chunks(readAt, sizeBytes, (page) => metadata.has(page));
    const { entries, ...totals } = await putAll(cut, blocks, signal);
    return { entries, sizeBytes, metadataBytes: metadata.size * PAGE_BYTES, ...totals };
  } finally {
    await file.close();
  }
}

type Counts = Pick<IngestResult, 'newBlocks' | 'newBytes' | 'sharedBlocks' | 'sharedBytes'>;

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
