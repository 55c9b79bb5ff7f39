/**
 * Volumes of a checkpoint's two folders. CRIU's images become a *memory volume*: not compressed, since a fault would have to wait for a whole
 * cluster, and cut finely, so that the next checkpoint of the same processes shares what they have not written to meanwhile. What
 * the container has written becomes a *writable volume*, as an unpacked layer does.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BlockSizes } from './chunker.ts';
import { type Compression, formatId, MEMORY_FORMAT, memoryOptions, mkfsOptions } from './format.ts';
import { walkedTar } from './layer-source.ts';
import { walkDirectory } from './layer-walk.ts';
import { imageOfFolder, makeImage, mkfsProgram } from './mkfs.ts';
import { type StoredImage, type Stores, storeImage } from './store-image.ts';

export interface CheckpointJob {
  of: 'memory' | 'files';
  /** The checkpoint's. */
  id: string;
  directory: string;
  /** Of files only. */
  compression: Compression;
  /** An empty folder on a disk: for the image. */
  workDir: string;
  mkfs?: string;
}

/** docs/volume-format.md has the measurements behind it. */
export const MEMORY_BLOCK_SIZES: BlockSizes = { min: 2, mean: 6, max: 16 };

/** A folder that CRIU has not written. */
export class NotFlatError extends Error {
  constructor(path: string) {
    super(`${path} is no regular file: CRIU's folder of images holds nothing else`);
    this.name = 'NotFlatError';
  }
}

export async function ingestCheckpoint(
  job: CheckpointJob,
  stores: Stores,
  signal?: AbortSignal,
): Promise<StoredImage> {
  const image = join(job.workDir, 'image');
  const program = mkfsProgram(job.mkfs);
  if (job.of === 'memory') {
    checkFlat(job.directory);
    const mkfs = { program, options: memoryOptions(job.id), tempDir: job.workDir, signal };
    await imageOfFolder(mkfs, job.directory, image);
    return storeImage({ path: image, format: MEMORY_FORMAT, sizes: MEMORY_BLOCK_SIZES }, stores, signal);
  }
  const options = mkfsOptions(`files of ${job.id}`, job.compression);
  const tar = walkedTar(walkDirectory(job.directory));
  await makeImage({ program, options, tempDir: job.workDir, signal }, tar, image);
  return storeImage({ path: image, format: formatId('walk', job.compression) }, stores, signal);
}

function checkFlat(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (!lstatSync(path).isFile()) throw new NotFlatError(path);
  }
}
