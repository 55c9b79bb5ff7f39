/**
 * The volumes' indexes on disk: `<dir>/<root>`, the canonical encoding.
 *
 * Invariants, guarded by volumes.test.ts:
 * - A published file is whole and has its root's hash: written to `<dir>/tmp-*`, fsync, rename, fsync of the folder.
 * - No file, no volume. A file that fails its check (disk fault) is removed, told of, and absent.
 * - Indexes are immutable, so a cached one is never stale; `has` and `roots` ask the disk, because the ingest child
 *   publishes too.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { isSha256 } from './block.ts';
import type { Root, VolumeIndex, VolumeStore } from './types.ts';
import { BadIndexError, type DecodedIndex, decodeIndex } from './volume.ts';

export interface VolumeStoreOptions {
  /** Told of each corrupt index after its removal. */
  onCorrupt?: (root: Root, error: Error) => void;
  /** Decoded indexes kept in memory; default 16 MiB, about 400,000 blocks. */
  cacheBytes?: number;
  /** As for the block store: a guest does not sweep leftovers. */
  guest?: boolean;
}

/** Opens (and makes, when it is not there) the store in `dir`. */
export async function openVolumeStore(dir: string, options: VolumeStoreOptions = {}): Promise<VolumeStore> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (!options.guest) {
    for (const name of await readdir(dir)) {
      if (name.startsWith('tmp-')) await rm(join(dir, name), { force: true });
    }
  }
  return new DiskVolumeStore(dir, options);
}

class DiskVolumeStore implements VolumeStore {
  readonly #dir: string;
  readonly #onCorrupt: (root: Root, error: Error) => void;
  readonly #cache: LRUCache<Root, DecodedIndex>;

  constructor(dir: string, options: VolumeStoreOptions) {
    this.#dir = dir;
    this.#onCorrupt = options.onCorrupt ?? (() => {});
    this.#cache = new LRUCache({
      maxSize: options.cacheBytes ?? 16 * 1024 * 1024,
      sizeCalculation: (index) => index.memoryBytes,
    });
  }

  has(root: Root): boolean {
    return existsSync(this.#path(root));
  }

  async get(root: Root): Promise<VolumeIndex | undefined> {
    return this.#get(root);
  }

  async encoded(root: Root): Promise<Buffer | undefined> {
    return (await this.#get(root))?.encoded;
  }

  async #get(root: Root): Promise<DecodedIndex | undefined> {
    const path = this.#path(root);
    const cached = this.#cache.get(root);
    if (cached) return cached;
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const index = decodeAs(root, bytes);
      this.#cache.set(root, index);
      return index;
    } catch (error) {
      await rm(path, { force: true });
      this.#onCorrupt(root, error as Error);
      return undefined;
    }
  }

  async put(root: Root, encoded: Uint8Array): Promise<VolumeIndex> {
    const path = this.#path(root);
    const there = await this.#get(root);
    if (there && existsSync(path)) return there;
    const index = decodeAs(root, encoded);
    const temporary = join(this.#dir, `tmp-${randomBytes(12).toString('hex')}`);
    try {
      await writeDurably(temporary, encoded);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await syncFolder(this.#dir);
    this.#cache.set(root, index);
    return index;
  }

  async remove(root: Root): Promise<void> {
    this.#cache.delete(root);
    await rm(this.#path(root), { force: true });
  }

  *roots(): Iterable<Root> {
    for (const name of readdirSync(this.#dir)) if (isSha256(name)) yield name;
  }

  #path(root: Root): string {
    if (!isSha256(root)) throw new TypeError(`no root: ${JSON.stringify(root)}`);
    return `${this.#dir}/${root}`;
  }
}

function decodeAs(root: Root, encoded: Uint8Array): DecodedIndex {
  const index = decodeIndex(encoded);
  if (index.root !== root) throw new BadIndexError(`its root is ${index.root}, not ${root}`);
  return index;
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
