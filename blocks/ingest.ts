/**
 * Makes a volume of a layer: its tree (from its tar, checked against its diffID, or from its unpacked directory) becomes
 * an EROFS image in a folder of its own, which the caller removes, and the image becomes a volume.
 */
import { join } from 'node:path';
import { type Compression, formatId, mkfsOptions } from './format.ts';
import { lowerDirectoryIn } from './layer-lower.ts';
import { canonicalTar, isUnsupported, spool, treeOf, walkedTar } from './layer-source.ts';
import { walkDirectory } from './layer-walk.ts';
import { makeImage, mkfsProgram } from './mkfs.ts';
import { type StoredImage, type Stores, storeImage } from './store-image.ts';
import type { ChainId, DiffId } from './types.ts';

export interface IngestJob {
  of: 'layer';
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

export interface IngestResult extends StoredImage {
  diffId: DiffId | '';
  origin: 'ingested' | 'walked';
  /** Why the tar was not taken, when there was one. */
  walkedBecause?: string;
}

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
  await makeImage({ program: mkfsProgram(job.mkfs), options, tempDir: job.workDir, signal }, archive, image);
  const format = formatId(origin === 'ingested' ? 'tar' : 'walk', job.compression);
  const stored = await storeImage({ path: image, format }, stores, signal);
  return { ...stored, diffId: job.diffId, origin, ...(walkedBecause ? { walkedBecause } : {}) };
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
