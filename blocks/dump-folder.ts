/** A flat folder of CRIU's images as pages: what is small whole, what is large page by page, with equal pages told by one number. */
import { closeSync, fstatSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type FlatFile, HOLE, pagesOf } from './flat-image.ts';
import type { PageNumbers } from './page-numbers.ts';
import { PAGE_BYTES } from './types.ts';

/**
 * CRIU reads all of its small files before the first page, so they arrive with the index; a dump of an odd kind must not make that slow. The map of a
 * gigabyte that an allocator has cut to pieces takes a megabyte.
 */
const SMALL_BYTES_MAX = 8 * 1024 * 1024;
const ALL_SMALL_BYTES_MAX = 24 * 1024 * 1024;
const PAGES_FILE = /^pages-.*\.img$/;
const WINDOW_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(PAGE_BYTES);
/** No page has this number: `HOLE` is the one above. */
export const UNKNOWN = HOLE - 1;

/** A folder that CRIU has not written. */
export class NotFlatError extends Error {
  constructor(path: string) {
    super(`${path} is no regular file: CRIU's folder of images holds nothing else`);
    this.name = 'NotFlatError';
  }
}

export interface DumpFile extends FlatFile {
  path: string;
  isSmall: boolean;
}

/** In the order of the names. Throws `NotFlatError`. */
export function filesIn(directory: string): DumpFile[] {
  let smallBytes = 0;
  return readdirSync(directory)
    .sort()
    .map((name) => {
      const path = join(directory, name);
      const status = lstatSync(path);
      if (!status.isFile()) throw new NotFlatError(path);
      const isSmall =
        !PAGES_FILE.test(name) &&
        status.size <= SMALL_BYTES_MAX &&
        smallBytes + status.size <= ALL_SMALL_BYTES_MAX;
      if (isSmall) smallBytes += status.size;
      return { name, path, sizeBytes: status.size, isSmall };
    });
}

/** The files' bytes, each filled up with zeros to whole pages. */
export function wholeFiles(files: readonly DumpFile[]): Buffer {
  const pages = files.reduce((sum, file) => sum + pagesOf(file), 0);
  const bytes = Buffer.alloc(pages * PAGE_BYTES);
  let at = 0;
  for (const file of files) {
    const reader = new PageReader(file.path);
    reader.read(0, bytes.subarray(at, at + pagesOf(file) * PAGE_BYTES));
    reader.close();
    at += pagesOf(file) * PAGE_BYTES;
  }
  return bytes;
}

/** Reads a file that must not change meanwhile. */
export class PageReader {
  readonly #path: string;
  readonly #fd: number;
  readonly #sizeBytes: number;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openSync(path, 'r');
    this.#sizeBytes = fstatSync(this.#fd).size;
  }

  /** Fills `into`, which begins with the page; what lies behind the file's end becomes zeros. */
  read(page: number, into: Buffer): void {
    const position = page * PAGE_BYTES;
    const there = Math.min(into.length, this.#sizeBytes - position);
    for (let done = 0; done < there; ) {
      const length = readSync(this.#fd, into, done, there - done, position + done);
      if (length === 0) throw new Error(`${this.#path} is cut off`);
      done += length;
    }
    into.fill(0, there);
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** The number of each of the file's pages; `HOLE` for zeros. `known`: numbers that need no reading, `UNKNOWN` for all others. */
export function numberPages(file: DumpFile, numbers: PageNumbers, known?: Uint32Array): Uint32Array {
  const found = new Uint32Array(pagesOf(file)).fill(UNKNOWN);
  if (known) found.set(known.subarray(0, found.length));
  const window = Buffer.allocUnsafeSlow(WINDOW_BYTES);
  const reader = new PageReader(file.path);
  try {
    for (let from = nextUnknown(found, 0); from < found.length; ) {
      const count = Math.min(WINDOW_BYTES / PAGE_BYTES, found.length - from);
      const end = known ? endOfUnknown(found, from, from + count) : from + count;
      const bytes = window.subarray(0, (end - from) * PAGE_BYTES);
      reader.read(from, bytes);
      for (let page = from; page < end; page++) {
        const one = bytes.subarray((page - from) * PAGE_BYTES, (page - from + 1) * PAGE_BYTES);
        found[page] = one.equals(ZEROS) ? HOLE : numbers.add(one);
      }
      from = nextUnknown(found, end);
    }
    return found;
  } finally {
    reader.close();
  }
}

function nextUnknown(numbers: Uint32Array, from: number): number {
  const at = numbers.indexOf(UNKNOWN, from);
  return at === -1 ? numbers.length : at;
}

function endOfUnknown(numbers: Uint32Array, from: number, limit: number): number {
  let end = from;
  while (end < limit && numbers[end] === UNKNOWN) end++;
  return end;
}
