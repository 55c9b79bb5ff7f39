/**
 * Pages of a dump that stand as they stood in an earlier one of the same processes, which is a volume now (the *base*): found by comparing bytes at
 * the same addresses, several times quicker than hashing all of them while a container is frozen.
 *
 * The base's blocks are read as they are, unchecked: bytes that equal the dump's have the name that the dump's would get. Only if the disk had changed
 * a page to just what the program has written there since, would that be wrong.
 */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_BLOCK_BYTES } from './block.ts';
import { PageReader } from './dump-folder.ts';
import { HOLE, type Placed } from './flat-image.ts';
import { bytesOf } from './flat-read.ts';
import { decodePagemap, type PageRun } from './pagemap.ts';
import { type BlockStore, PAGE_BYTES, type VolumeIndex } from './types.ts';

export interface Base {
  index: VolumeIndex;
  /** Its metadata, and the files that are in it. */
  head: Buffer;
  files: ReadonlyMap<string, Placed>;
  blocks: Pick<BlockStore, 'path'>;
}

/** Where in the base's image a page is; this for one that is not as it was. */
export const CHANGED = HOLE;

const PAGEMAP = /^pagemap-.*\.img$/;
const WINDOW_PAGES = 256;

/** By the file of pages, of those that the base knows. */
export function unchangedPages(directory: string, base: Base): Map<string, Uint32Array> {
  const found = new Map<string, Uint32Array>();
  const blocks = new BaseBlocks(base);
  for (const name of readdirSync(directory).filter((one) => PAGEMAP.test(one))) {
    const map = base.files.get(name);
    const image = map && bytesOf(base.head, map);
    if (!image) continue;
    const [now, before] = [decodePagemap(readFileSync(join(directory, name))), decodePagemap(image)];
    const places = base.files.get(`pages-${before.id}.img`)?.pages;
    if (!places) continue;
    const file = `pages-${now.id}.img`;
    const pages = new Uint32Array(now.runs.reduce((sum, run) => sum + run.pages, 0)).fill(CHANGED);
    const reader = new PageReader(join(directory, file));
    try {
      for (const [from, to, count] of together(now.runs, before.runs))
        compare(reader, from, places.subarray(to, to + count), blocks, pages);
    } finally {
      reader.close();
    }
    found.set(file, pages);
  }
  return found;
}

/** The parts of two maps that have the same addresses: pages of the one file, of the other, how many. */
export function* together(
  now: readonly PageRun[],
  before: readonly PageRun[],
): Generator<[number, number, number]> {
  for (let i = 0, j = 0; i < now.length && j < before.length; ) {
    const [a, b] = [now[i]!, before[j]!];
    const from = Math.max(a.address, b.address);
    const [aEnd, bEnd] = [a, b].map(({ address, pages }) => address + pages * PAGE_BYTES) as [number, number];
    const count = (Math.min(aEnd, bEnd) - from) / PAGE_BYTES;
    if (count > 0)
      yield [a.at + (from - a.address) / PAGE_BYTES, b.at + (from - b.address) / PAGE_BYTES, count];
    if (aEnd <= bEnd) i++;
    if (bEnd <= aEnd) j++;
  }
}

const pagesNow = Buffer.allocUnsafeSlow(WINDOW_PAGES * PAGE_BYTES);

/** The pages from `from` on, as many as there are places. */
function compare(
  reader: PageReader,
  from: number,
  places: Uint32Array,
  blocks: BaseBlocks,
  found: Uint32Array,
): void {
  for (let done = 0; done < places.length; done += WINDOW_PAGES) {
    const window = places.subarray(done, done + WINDOW_PAGES);
    const bytes = pagesNow.subarray(0, window.length * PAGE_BYTES);
    reader.read(from + done, bytes);
    for (let i = 0; i < window.length; ) {
      const block = window[i] === HOLE ? undefined : blocks.at(window[i]!);
      const run = block ? runIn(window, i, block.end) : 1;
      if (block) {
        const at = (window[i]! - block.start) * PAGE_BYTES;
        const same = (page: number, count: number) =>
          bytes.compare(
            block.bytes,
            at + page * PAGE_BYTES,
            at + (page + count) * PAGE_BYTES,
            (i + page) * PAGE_BYTES,
            (i + page + count) * PAGE_BYTES,
          ) === 0;
        const whole = same(0, run);
        for (let page = 0; page < run; page++)
          if (whole || same(page, 1)) found[from + done + i + page] = window[i + page]!;
      }
      i += run;
    }
  }
}

/** How many places from `i` on follow each other, up to `end`. */
function runIn(places: Uint32Array, i: number, end: number): number {
  let run = 1;
  while (places[i + run] === places[i]! + run && places[i]! + run < end) run++;
  return run;
}

interface Slot {
  /** Pages of the image, the second one excluded. */
  start: number;
  end: number;
  bytes: Buffer;
}

/** Blocks of the base, the last few at hand: what a process has changed stands elsewhere in the image. */
class BaseBlocks {
  static readonly #SLOTS = 16;
  readonly #base: Base;
  readonly #slots = new Map<number, Slot | undefined>();
  #last: Slot | undefined;

  constructor(base: Base) {
    this.#base = base;
  }

  /** The block with that page; undefined where it is not here. */
  at(page: number): Slot | undefined {
    if (this.#last && page >= this.#last.start && page < this.#last.end) return this.#last;
    const number = this.#base.index.blockAt(page * PAGE_BYTES);
    if (!this.#slots.has(number)) this.#load(number);
    this.#last = this.#slots.get(number);
    return this.#last;
  }

  #load(number: number): void {
    const { index, blocks } = this.#base;
    let buffer: Buffer | undefined;
    if (this.#slots.size === BaseBlocks.#SLOTS) {
      const [oldest] = this.#slots.keys();
      buffer = this.#slots.get(oldest!)?.bytes;
      this.#slots.delete(oldest!);
    }
    buffer ??= Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES);
    const [start, end] = [index.offset(number), index.offset(number + 1)];
    const isHere = readInto(buffer, blocks.path(index.blockId(number)), end - start);
    const slot = { start: start / PAGE_BYTES, end: end / PAGE_BYTES, bytes: buffer };
    this.#slots.set(number, isHere ? slot : undefined);
  }
}

function readInto(buffer: Buffer, path: string, bytes: number): boolean {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return false; // it is not here
  }
  try {
    return readSync(fd, buffer, 0, bytes, 0) === bytes;
  } finally {
    closeSync(fd);
  }
}
