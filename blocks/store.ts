/**
 * The block store on disk: `<dir>/ab/<sha256>`, each file written once.
 *
 * Invariants, and the tests (store.conformance.ts, store.test.ts) that guard them:
 * - Order of a put: verify, write `<dir>/tmp/<random>`, rename. So no reader ever sees half a block, whoever dies when
 *   ("a put that fails", "leftovers of a crash").
 * - After `put` the file holds these very bytes as the kernel sees them, also if a power loss had left a torn file
 *   under the name: an existing file is compared and, when it differs, replaced ("a put heals").
 * - A put survives a power loss only after `sync`. An index that names the block is published after that, so a torn
 *   block is never part of a published volume, and every reader that matters checks the hash anyway.
 * - `get` hashes a block when this process first reads it, and again when its file has changed since (ctime): sending one
 *   block to many neighbours costs one hash. What the disk itself loses later, the neighbour's own check finds
 *   ("a block that changes on disk after a good read").
 * - Several processes may use one folder (the node, its ingest child, the volume server). Only the one that opened it as
 *   owner sweeps `tmp`; a sweep may fail another's put, never spoil it.
 *
 * Opening, closing and renaming are done at once, and only the bytes go through the thread pool: each trip through it costs
 * more than these calls do.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  type Dirent,
  existsSync,
  fstatSync,
  openSync,
  read as readCallback,
  readdirSync,
  renameSync,
  rmSync,
  write as writeCallback,
} from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { type CorruptBlockError, isSha256, MAX_BLOCK_BYTES, verifyBlock } from './block.ts';
import { syncfs } from './libc.ts';
import type { BlockId, BlockStore, Room } from './types.ts';

export interface BlockStoreOptions {
  /** Told of each corrupt block just before its removal: nobody can put it again without that being known. */
  onCorrupt?: (error: CorruptBlockError) => void;
  /** The owner (default) sweeps leftovers and counts what is there; a guest, such as the ingest child, does neither. */
  guest?: boolean;
  /** write(2), injectable for tests of faults: answers how much it wrote. */
  write?: WriteOnce;
}

export type WriteOnce = (fd: number, bytes: Uint8Array, position: number) => Promise<number>;

const read = promisify(readCallback);
const write = promisify(writeCallback);

export const writeOnce: WriteOnce = async (fd, bytes, position) =>
  (await write(fd, bytes, 0, bytes.length, position)).bytesWritten;

/** Blocks whose hash was found right are remembered up to this many: some 2 GiB of blocks, 3 MB of memory. */
const CHECKED_MAX = 16_384;
/** Only then: a file that changes twice within one tick of the file system's clock shows one ctime. */
const SETTLED_MS = 1000;

/** Opens (and makes, when it is not there) the store in `dir`. */
export async function openBlockStore(dir: string, options: BlockStoreOptions = {}): Promise<DiskBlockStore> {
  const last = join(dir, 'ff');
  await mkdir(join(dir, 'tmp'), { recursive: true, mode: 0o700 });
  if (!existsSync(last)) {
    for (let i = 0; i < 256; i++) {
      await mkdir(join(dir, i.toString(16).padStart(2, '0')), { recursive: true, mode: 0o700 });
    }
  }
  const store = new DiskBlockStore(dir, options);
  if (!options.guest) await store.recover();
  return store;
}

export class DiskBlockStore implements BlockStore {
  readonly #dir: string;
  readonly #onCorrupt: (error: CorruptBlockError) => void;
  readonly #write: WriteOnce;
  /** The ctime that a block's file had when its hash was found right. */
  readonly #checked = new LRUCache<BlockId, number>({ max: CHECKED_MAX });
  /** Of this store, so that two processes never write one temporary file. A random name for each file would cost as much as a small write. */
  readonly #writer = randomBytes(12).toString('hex');
  #written = 0;
  /** Puts under way: the same block asked for twice is written once. */
  readonly #putting = new Map<BlockId, Promise<void>>();
  #count = 0;
  #bytes = 0;

  constructor(dir: string, options: BlockStoreOptions) {
    this.#dir = dir;
    this.#onCorrupt = options.onCorrupt ?? (() => {});
    this.#write = options.write ?? writeOnce;
  }

  has(id: BlockId): boolean {
    return existsSync(this.path(id));
  }

  /** Throws for anything but 64 hex digits. */
  path(id: BlockId): string {
    if (!isSha256(id)) throw new TypeError(`no block id: ${JSON.stringify(id)}`);
    return `${this.#dir}/${id.slice(0, 2)}/${id}`;
  }

  async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    const path = this.path(id);
    verifyBlock(id, bytes);
    const before = this.#putting.get(id);
    if (before) return before;
    const putting = this.#put(path, bytes).finally(() => this.#putting.delete(id));
    this.#putting.set(id, putting);
    return putting;
  }

  async #put(path: string, bytes: Uint8Array): Promise<void> {
    const old = existsSync(path) ? await readBlock(path) : undefined;
    if (old && bytes.length === old.sizeBytes && old.bytes?.equals(bytes)) return;
    const temporary = this.#temporary();
    try {
      await this.#writeAll(temporary, bytes);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
    this.note(old ? 0 : 1, bytes.length - (old?.sizeBytes ?? 0));
  }

  async #writeAll(path: string, bytes: Uint8Array): Promise<void> {
    const fd = openSync(path, 'wx', 0o600);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += await this.#write(fd, bytes.subarray(done), done);
      }
    } finally {
      closeSync(fd);
    }
  }

  async get(id: BlockId, room?: Room): Promise<Buffer | undefined> {
    const path = this.path(id);
    const found = await readBlock(path, room);
    if (!found) return undefined;
    if (found.bytes && this.#checked.get(id) === found.ctimeMs) return found.bytes;
    try {
      verifyBlock(id, found.bytes ?? Buffer.alloc(0));
      if (Date.now() - found.ctimeMs > SETTLED_MS) this.#checked.set(id, found.ctimeMs);
      return found.bytes;
    } catch (error) {
      this.#onCorrupt(error as CorruptBlockError);
      await this.#discard(id, path);
      return undefined;
    }
  }

  /**
   * Removes a corrupt block. Takes it away by rename and looks again, because another writer may have replaced it with a
   * good one in the meantime: that one goes back.
   */
  async #discard(id: BlockId, path: string): Promise<void> {
    const taken = this.#temporary();
    try {
      await rename(path, taken);
    } catch (error) {
      if (isAbsent(error)) return;
      throw error;
    }
    const again = await readBlock(taken);
    try {
      verifyBlock(id, again?.bytes ?? Buffer.alloc(0));
      await rename(taken, path);
    } catch {
      await rm(taken, { force: true });
      this.note(-1, -(again?.sizeBytes ?? 0));
    }
  }

  async remove(id: BlockId): Promise<void> {
    const path = this.path(id);
    const size = await sizeOf(path);
    if (size === undefined) return;
    try {
      await rm(path);
    } catch (error) {
      if (isAbsent(error)) return;
      throw error;
    }
    this.note(-1, -size);
  }

  async sync(): Promise<void> {
    const file = await open(this.#dir, 'r');
    try {
      await syncfs(file.fd);
    } finally {
      await file.close();
    }
  }

  stats(): { count: number; bytes: number } {
    return { count: this.#count, bytes: this.#bytes };
  }

  /** Corrects the totals by what another process (the ingest child) has put here. */
  note(count: number, bytes: number): void {
    this.#count += count;
    this.#bytes += bytes;
  }

  *ids(): Iterable<BlockId> {
    for (const folder of this.#folders()) {
      for (const name of readdirSync(join(this.#dir, folder))) {
        if (isSha256(name) && name.startsWith(folder)) yield name;
      }
    }
  }

  /** After a start: removes what a crash left behind and counts what is here. */
  async recover(): Promise<void> {
    const leftovers = await readdir(join(this.#dir, 'tmp'));
    for (const name of leftovers) await rm(join(this.#dir, 'tmp', name), { recursive: true, force: true });
    this.#count = 0;
    this.#bytes = 0;
    for (const folder of this.#folders()) {
      const names = (await readdir(join(this.#dir, folder))).filter(isSha256);
      const sizes = await Promise.all(names.map((name) => sizeOf(join(this.#dir, folder, name))));
      for (const size of sizes) if (size !== undefined) this.note(1, size);
    }
  }

  #folders(): string[] {
    const isFolder = (entry: Dirent) => entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name);
    return readdirSync(this.#dir, { withFileTypes: true })
      .filter(isFolder)
      .map((entry) => entry.name);
  }

  #temporary(): string {
    return `${this.#dir}/tmp/${this.#writer}-${this.#written++}`;
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

interface Found {
  sizeBytes: number;
  ctimeMs: number;
  bytes?: Buffer;
}

/** The file as it is; without its bytes when it is longer than any block. undefined: no such file. */
async function readBlock(path: string, room: Room = Buffer.allocUnsafeSlow): Promise<Found | undefined> {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
  try {
    const { size: sizeBytes, ctimeMs } = fstatSync(fd);
    if (sizeBytes > MAX_BLOCK_BYTES) return { sizeBytes, ctimeMs };
    const bytes = room(sizeBytes);
    const { bytesRead } = await read(fd, bytes, 0, sizeBytes, 0);
    return { sizeBytes, ctimeMs, bytes: bytes.subarray(0, bytesRead) };
  } finally {
    closeSync(fd);
  }
}
