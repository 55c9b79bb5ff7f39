/**
 * Volumes of a checkpoint's two folders. CRIU's images become a memory volume (`memory-volume.ts`). What the container has written becomes a
 * *writable volume*, as an unpacked layer does: of its own, or joined with those that it lies on.
 */
import { join } from 'node:path';
import { rearmTimers } from './expired-timers.ts';
import { type Compression, formatId, mkfsOptions } from './format.ts';
import { mergeLayers } from './layer-merge.ts';
import { walkedTar } from './layer-source.ts';
import { walkDirectory } from './layer-walk.ts';
import { markLazyPages } from './lazy-marks.ts';
import { type Remembered, storeMemory } from './memory-volume.ts';
import { makeImage, mkfsProgram } from './mkfs.ts';
import { type StoredImage, type Stores, storeImage } from './store-image.ts';
import type { Root } from './types.ts';

export interface CheckpointJob {
  of: 'memory' | 'files';
  /** The checkpoint's. */
  id: string;
  /** Memory: CRIU's folder of images. Files: a copy of overlayfs's upper directory. */
  directory: string;
  /** Of memory only: the memory volume of an earlier checkpoint of the same processes, to share with. */
  base?: Root | undefined;
  /** Of files only: writable volumes, mounted, that are to become part of this one, and the layers below them. Nearest first. */
  joins?: { volumes: readonly string[]; layers: readonly string[] } | undefined;
  /** Of files only. */
  compression: Compression;
  /** An empty folder on a disk: for the image of files. */
  workDir: string;
  mkfs?: string;
}

export async function ingestCheckpoint(
  job: CheckpointJob,
  stores: Stores & Remembered,
  signal?: AbortSignal,
): Promise<StoredImage> {
  if (job.of === 'files') return storeFiles(job, stores, signal);
  markLazyPages(job.directory);
  rearmTimers(job.directory);
  return storeMemory(job, stores, signal);
}

async function storeFiles(
  job: CheckpointJob,
  stores: Stores,
  signal: AbortSignal | undefined,
): Promise<StoredImage> {
  const image = join(job.workDir, 'image');
  const mkfs = {
    program: mkfsProgram(job.mkfs),
    options: mkfsOptions(`files of ${job.id}`, job.compression),
    tempDir: job.workDir,
    signal,
  };
  const own = walkDirectory(job.directory);
  const { joins } = job;
  const all = joins ? mergeLayers([own, ...joins.volumes.map(walkDirectory)], joins.layers) : own;
  await makeImage(mkfs, walkedTar(all), image);
  return storeImage({ path: image, format: formatId('walk', job.compression) }, stores, signal);
}
