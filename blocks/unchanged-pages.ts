/**
 * Pages of a dump that stand as they stood in an earlier dump of the same processes, found by comparing bytes at the same addresses: an order of
 * magnitude quicker than hashing all of them while a container is frozen. Both dumps are whole folders of CRIU's.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PageReader } from './dump-folder.ts';
import { decodePagemap, type PageRun } from './pagemap.ts';
import { PAGE_BYTES } from './types.ts';

const PAGEMAP = /^pagemap-.*\.img$/;
const WINDOW_PAGES = 256;
/** Compared at once: most windows have no change or few. */
const CHUNK_PAGES = 16;

/** Of a file of pages: where each page stood in which file of the earlier dump, `CHANGED` where it did not. */
export interface Unchanged {
  file: string;
  pages: Uint32Array;
}

export const CHANGED = 0xffff_ffff;

/** By the file of pages, of those that an earlier dump knows. What a map leaves out or CRIU has written otherwise counts as changed. */
export function unchangedPages(directory: string, earlier: string): Map<string, Unchanged> {
  const found = new Map<string, Unchanged>();
  for (const name of readdirSync(directory).filter((one) => PAGEMAP.test(one))) {
    if (!existsSync(join(earlier, name))) continue;
    const [now, before] = [directory, earlier].map((folder) =>
      decodePagemap(readFileSync(join(folder, name))),
    );
    const [file, was] = [`pages-${now!.id}.img`, `pages-${before!.id}.img`];
    const pages = new Uint32Array(now!.runs.reduce((sum, run) => sum + run.pages, 0)).fill(CHANGED);
    const readers = [readerOf(directory, file), readerOf(earlier, was)] as const;
    try {
      for (const [from, to, count] of together(now!.runs, before!.runs))
        compare(readers, from, to, count, pages);
    } finally {
      for (const reader of readers) reader.close();
    }
    found.set(file, { file: was, pages });
  }
  return found;
}

function readerOf(folder: string, name: string): PageReader {
  return new PageReader(join(folder, name));
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

const windows = [0, 0].map(() => Buffer.allocUnsafeSlow(WINDOW_PAGES * PAGE_BYTES)) as [Buffer, Buffer];

function compare(
  [now, before]: readonly [PageReader, PageReader],
  from: number,
  to: number,
  count: number,
  pages: Uint32Array,
): void {
  const [a, b] = windows;
  for (let done = 0; done < count; done += WINDOW_PAGES) {
    const bytes = Math.min(WINDOW_PAGES, count - done) * PAGE_BYTES;
    now.read(from + done, a.subarray(0, bytes));
    before.read(to + done, b.subarray(0, bytes));
    const same = (at: number, end: number) => a.compare(b, at, end, at, end) === 0;
    for (let at = 0; at < bytes; at += CHUNK_PAGES * PAGE_BYTES) {
      const end = Math.min(at + CHUNK_PAGES * PAGE_BYTES, bytes);
      const whole = same(at, end);
      for (let page = at; page < end; page += PAGE_BYTES) {
        const offset = done + page / PAGE_BYTES;
        if (whole || same(page, page + PAGE_BYTES)) pages[from + offset] = to + offset;
      }
    }
  }
}
