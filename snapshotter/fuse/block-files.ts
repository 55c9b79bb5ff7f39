/**
 * Block files as the volume server reads them: opened once, checked against their hash when this process first opens
 * them, then kept open (the most recently used) and read straight into the answer.
 *
 * A block that fails its check, or that the disk cannot read, is removed, told of, and from then on absent. Nothing of
 * a block is handed out before its check.
 */
import { hash } from 'node:crypto';
import { closeSync, existsSync, openSync, readSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { LRUCache } from 'lru-cache';
import { MAX_BLOCK_BYTES } from '../../blocks/block.ts';
import type { BlockId } from '../../blocks/types.ts';
import type { Log } from './types.ts';

/** 8192 blocks are about 1 GiB of volumes. */
const OPEN_FILES_MAX = 8192;

/** Which block of which volume, and what it must be. */
export interface BlockPlace {
  /** Unique in this process: the key of its descriptor. */
  key: number;
  id: BlockId;
  sizeBytes: number;
  /** Its check was passed before, in this process. */
  checked: boolean;
}

export class BlockFiles {
  readonly #folder: string;
  readonly #log: Log;
  readonly #open: LRUCache<number, number>;
  /** Where a block is read as a whole, to be checked. */
  readonly #scratch = Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES);
  #checks = 0;

  /** `folder` is the block store's: blocks are at `<folder>/ab/<id>`. */
  constructor(folder: string, log: Log, openFilesMax = OPEN_FILES_MAX) {
    this.#folder = folder;
    this.#log = log;
    this.#open = new LRUCache<number, number>({ max: openFilesMax, dispose: (fd) => closeSync(fd) });
  }

  /** How often a hash was computed. */
  get checks(): number {
    return this.#checks;
  }

  /** The descriptor of an open block that has passed its check. */
  descriptor(key: number): number | undefined {
    return this.#open.get(key);
  }

  /** Opens the block, checking it unless that was done. undefined: it is not here (any longer). */
  open(place: BlockPlace): number | undefined {
    const path = this.path(place.id);
    // Most blocks that are not here are found out without the cost of an exception.
    if (!existsSync(path)) return undefined;
    const fd = openUnlessAbsent(path);
    if (fd === undefined) return undefined;
    const flaw = place.checked ? undefined : this.#flawOf(fd, place);
    if (flaw !== undefined) {
      closeSync(fd);
      this.discard(place, flaw);
      return undefined;
    }
    this.#open.set(place.key, fd);
    return fd;
  }

  /** Reads a part of an open block. Answers what is wrong when the disk fails: then `discard` it. */
  read(fd: number, into: Buffer, at: number, sizeBytes: number, from: number): string | undefined {
    try {
      return readSync(fd, into, at, sizeBytes, from) === sizeBytes ? undefined : 'the file is too short';
    } catch (error) {
      return (error as Error).message;
    }
  }

  /** Removes a bad block, so that a good one can be brought. */
  discard({ key, id }: BlockPlace, flaw: string): void {
    this.close(key);
    this.#log.warning(`block ${id} is corrupt on disk and was removed, to be fetched again: ${flaw}`);
    try {
      unlinkSync(this.path(id));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  /** Lets go of a block's file, so that its space is free once it is removed. */
  close(key: number): void {
    this.#open.delete(key);
  }

  closeAll(): void {
    this.#open.clear();
  }

  #flawOf(fd: number, { id, sizeBytes }: BlockPlace): string | undefined {
    this.#checks++;
    try {
      const there = readSync(fd, this.#scratch, 0, MAX_BLOCK_BYTES, 0);
      if (there !== sizeBytes) return `${there} bytes instead of ${sizeBytes}`;
    } catch (error) {
      return (error as Error).message;
    }
    const found = hash('sha256', this.#scratch.subarray(0, sizeBytes), 'hex');
    return found === id ? undefined : `its bytes hash to ${found}`;
  }

  path(id: BlockId): string {
    return join(this.#folder, id.slice(0, 2), id);
  }
}

function openUnlessAbsent(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
