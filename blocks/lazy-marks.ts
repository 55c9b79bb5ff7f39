/**
 * What the images of a CRIU dump say of the pages in it: which of them CRIU reads itself before the first instruction, and which it leaves to
 * userfaultfd. Source: images/{pagemap,mm,vma,core,core-x86}.proto and criu/{mem.c,include/vma.h} of CRIU 4.2.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CriuImageError, field, fields, MAGIC, numberIn, records } from './criu-image.ts';
import { decodeEntries, type Entry, encodeEntries, FLAG } from './pagemap.ts';
import { PAGE_BYTES } from './types.ts';

/** Of a mapping: MAP_PRIVATE and MAP_ANONYMOUS; MAP_LOCKED or MAP_HUGETLB; and what the kernel itself maps (vsyscall, vdso, vvar). */
const MAP_LAZY = 0x02 | 0x20;
const MAP_NOT_LAZY = 0x2000 | 0x40000;
const AREA_NOT_LAZY = (1 << 2) | (1 << 3) | (1 << 12);

interface Area {
  start: number;
  end: number;
}

/**
 * By the name of each file of pages, the numbers of those of its pages, rising, that are not left to userfaultfd. None where the images are of
 * a kind that is not known here: then all come when they are read.
 */
export function eagerPages(directory: string): ReadonlyMap<string, readonly number[]> {
  return known(new Map(), () => readEagerPages(directory));
}

function readEagerPages(directory: string): Map<string, number[]> {
  const eager = new Map<string, number[]>();
  for (const name of imagesNamed(directory, /^pagemap-.*\.img$/)) {
    const { id, entries } = readEntries(join(directory, name));
    const found: number[] = [];
    let page = 0;
    for (const { pages, flags } of entries) {
      if (!(flags & FLAG.present)) continue;
      if (!(flags & FLAG.lazy)) for (let i = 0; i < pages; i++) found.push(page + i);
      page += pages;
    }
    eager.set(`pages-${id}.img`, found);
  }
  return eager;
}

/**
 * Marks the lazy pages of processes in which CRIU has marked none: it takes each page for one of a stack in use when a thread's stack pointer
 * happens to stand at the beginning of a page (`is_stack` compares offsets within the page, in CRIU up to 4.2), one thread of 256. All of their
 * memory would be restored before they run. Changes the pagemaps in place; doing it again changes nothing. Images of a kind that is not known
 * here stay as they are.
 */
export function markLazyPages(directory: string): void {
  known(undefined, () => markAll(directory));
}

function known<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CriuImageError) return otherwise;
    throw error;
  }
}

function markAll(directory: string): void {
  const stackPages = stackPagesIn(directory);
  if (!stackPages) return;
  for (const name of imagesNamed(directory, /^mm-\d+\.img$/)) {
    const path = join(directory, name.replace('mm-', 'pagemap-'));
    const pagemap = readEntries(path);
    if (pagemap.entries.some(({ flags }) => flags & FLAG.lazy)) continue;
    const isLazy = within(lazyAreas(join(directory, name)));
    const entries = pagemap.entries.flatMap((entry) =>
      split(entry, (address) => isLazy(address) && !stackPages.has(address)),
    );
    if (entries.every(({ flags }) => !(flags & FLAG.lazy))) continue;
    writeFileSync(`${path}.new`, encodeEntries(pagemap.id, entries));
    renameSync(`${path}.new`, path);
  }
}

/** The pages that threads' stack pointers are in; undefined for a machine other than x86-64, whose registers stand elsewhere. */
function stackPagesIn(directory: string): ReadonlySet<number> | undefined {
  const pages = new Set<number>();
  for (const name of imagesNamed(directory, /^core-\d+\.img$/)) {
    const path = join(directory, name);
    const [core] = records(path, MAGIC.core);
    const registers = core && field(path, core, [2, 2]);
    const pointer = registers && numberIn(path, registers, 20);
    if (pointer === undefined) return undefined;
    pages.add(pageOf(pointer));
  }
  return pages;
}

function pageOf(address: number): number {
  return address - (address % PAGE_BYTES);
}

/** In parts that are lazy and parts that are not. */
function split(entry: Entry, isLazy: (address: number) => boolean): Entry[] {
  const parts: Entry[] = [];
  for (let i = 0; i < entry.pages; i++) {
    const address = entry.address + i * PAGE_BYTES;
    const flags = isLazy(address) ? entry.flags | FLAG.lazy : entry.flags;
    const last = parts.at(-1);
    if (last?.flags === flags) last.pages++;
    else parts.push({ address, pages: 1, flags });
  }
  return parts;
}

/** Answers for addresses that rise, as areas do. */
function within(areas: readonly Area[]): (address: number) => boolean {
  let i = 0;
  return (address) => {
    while (i < areas.length && areas[i]!.end <= address) i++;
    return i < areas.length && areas[i]!.start <= address;
  };
}

function lazyAreas(path: string): Area[] {
  const [mm] = records(path, MAGIC.mm);
  const areas: Area[] = [];
  for (const area of mm ? fields(path, mm, 14) : []) {
    const flags = numberIn(path, area, 6) ?? 0;
    const status = numberIn(path, area, 7) ?? 0;
    if ((flags & MAP_LAZY) !== MAP_LAZY || flags & MAP_NOT_LAZY || status & AREA_NOT_LAZY) continue;
    areas.push({ start: numberIn(path, area, 1) ?? 0, end: numberIn(path, area, 2) ?? 0 });
  }
  return areas;
}

function readEntries(path: string) {
  return decodeEntries(readFileSync(path), path);
}

function imagesNamed(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory).filter((name) => pattern.test(name));
}
