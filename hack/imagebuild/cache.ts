/**
 * Where built layers and images live, outside the repository, and the keys under which they are found again.
 *
 * A thing is built in a folder with a temporary name and renamed when it is complete, so what is there is whole.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDir } from '../testbed/paths.ts';

export const cachePaths = {
  layers: join(cacheDir, 'layers'),
  images: join(cacheDir, 'images'),
  /** Downloaded packages and package lists, shared by all builds. */
  archives: join(cacheDir, 'apt', 'archives'),
  lists: join(cacheDir, 'apt', 'lists'),
};

export function makeCacheFolders(): void {
  for (const folder of Object.values(cachePaths)) mkdirSync(folder, { recursive: true });
}

/** A short key that changes with any of the parts. Parts are JSON values. */
export function keyOf(...parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** Lets `build` fill a fresh folder, then puts it in place of `path`. Nothing is left behind when it fails. */
export async function buildFolder(path: string, build: (folder: string) => Promise<void>): Promise<void> {
  const folder = `${path}.tmp`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    await build(folder);
    rmSync(path, { recursive: true, force: true });
    renameSync(folder, path);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
}
