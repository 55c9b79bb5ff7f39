/**
 * What the images of a CRIU dump say of the pages in it: which of them CRIU reads itself before the first instruction, and which it leaves to
 * userfaultfd. Source: images/{pagemap,mm,vma,core,core-x86}.proto and criu/{mem.c,include/magic.h,include/vma.h} of CRIU 4.2.
 *
 * A file of images is two numbers that tell its kind, then records: 4 bytes of length each, and a protobuf message.
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import jspb from 'google-protobuf';
import { PAGE_BYTES } from './types.ts';

const HEADER_BYTES = 8;
const COMMON_MAGIC = 0x54564319;
const MAGIC = { pagemap: 0x56084025, mm: 0x57492820, core: 0x55053847 };

/** Flags of a pagemap's entry. Its pages are in the file of pages only where they are present. */
const LAZY = 1 << 1;
const PRESENT = 1 << 2;

/** Of a mapping: MAP_PRIVATE and MAP_ANONYMOUS; MAP_LOCKED or MAP_HUGETLB; and what the kernel itself maps (vsyscall, vdso, vvar). */
const MAP_LAZY = 0x02 | 0x20;
const MAP_NOT_LAZY = 0x2000 | 0x40000;
const AREA_NOT_LAZY = (1 << 2) | (1 << 3) | (1 << 12);

/** An image that is cut off, or is none of CRIU's. */
class CriuImageError extends Error {
  constructor(path: string, why: string) {
    super(`${path} is no image that CRIU has written: ${why}`);
    this.name = 'CriuImageError';
  }
}

/** Pages in a row. */
interface Entry {
  address: number;
  pages: number;
  flags: number;
}

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
    const { pagesFile, entries } = readPagemap(join(directory, name));
    const found: number[] = [];
    let page = 0;
    for (const { pages, flags } of entries) {
      if (!(flags & PRESENT)) continue;
      if (!(flags & LAZY)) for (let i = 0; i < pages; i++) found.push(page + i);
      page += pages;
    }
    eager.set(pagesFile, found);
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
    const pagemap = readPagemap(path);
    if (pagemap.entries.some(({ flags }) => flags & LAZY)) continue;
    const isLazy = within(lazyAreas(join(directory, name)));
    const entries = pagemap.entries.flatMap((entry) =>
      split(entry, (address) => isLazy(address) && !stackPages.has(address)),
    );
    if (entries.every(({ flags }) => !(flags & LAZY))) continue;
    writeFileSync(`${path}.new`, encodePagemap(pagemap.head, entries));
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
    const flags = isLazy(address) ? entry.flags | LAZY : entry.flags;
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

interface Pagemap {
  head: Uint8Array;
  pagesFile: string;
  entries: Entry[];
}

function readPagemap(path: string): Pagemap {
  const [head, ...rest] = records(path, MAGIC.pagemap);
  const id = head && numberIn(path, head, 1);
  if (id === undefined) throw new CriuImageError(path, 'it names no file of pages');
  const entries = rest.map((record) => ({
    address: numberIn(path, record, 1) ?? 0,
    // The first is of 32 bits, for older versions.
    pages: numberIn(path, record, 5) ?? numberIn(path, record, 2) ?? 0,
    flags: numberIn(path, record, 4) ?? 0,
  }));
  return { head: head!, pagesFile: `pages-${id}.img`, entries };
}

function encodePagemap(head: Uint8Array, entries: readonly Entry[]): Buffer {
  const parts = [numbers(COMMON_MAGIC, MAGIC.pagemap), numbers(head.length), head];
  for (const { address, pages, flags } of entries) {
    const writer = new jspb.BinaryWriter();
    writer.writeUint64(1, address);
    writer.writeUint32(2, pages);
    writer.writeUint32(4, flags);
    writer.writeUint64(5, pages);
    const record = writer.getResultBuffer();
    parts.push(numbers(record.length), record);
  }
  return Buffer.concat(parts);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32LE(value, i * 4);
  });
  return bytes;
}

function imagesNamed(directory: string, pattern: RegExp): string[] {
  return readdirSync(directory).filter((name) => pattern.test(name));
}

function records(path: string, magic: number): Uint8Array[] {
  const bytes = readFileSync(path);
  const isRight =
    bytes.length >= HEADER_BYTES && bytes.readUInt32LE(0) === COMMON_MAGIC && bytes.readUInt32LE(4) === magic;
  if (!isRight) throw new CriuImageError(path, 'it begins otherwise');
  const found: Uint8Array[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new CriuImageError(path, 'it is cut off');
    found.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return found;
}

/** The message at the end of a way through messages. */
function field(path: string, message: Uint8Array, way: readonly number[]): Uint8Array | undefined {
  let at: Uint8Array | undefined = message;
  for (const number of way) at = at && fields(path, at, number)[0];
  return at;
}

/** Messages, strings and bytes of that number. */
function fields(path: string, message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  walk(path, message, (reader) => {
    if (reader.getFieldNumber() !== number || reader.getWireType() !== LENGTH_DELIMITED) return false;
    found.push(reader.readBytes() as Uint8Array);
    return true;
  });
  return found;
}

const LENGTH_DELIMITED = 2;
const VARINT = 0;

/** Addresses of a process stay below 2^53. */
function numberIn(path: string, message: Uint8Array, number: number): number | undefined {
  let found: number | undefined;
  walk(path, message, (reader) => {
    if (reader.getFieldNumber() !== number || reader.getWireType() !== VARINT) return false;
    found = reader.readUint64();
    return true;
  });
  return found;
}

/** `read` answers whether it has read the field that the reader is at. */
function walk(path: string, message: Uint8Array, read: (reader: jspb.BinaryReader) => boolean): void {
  try {
    const reader = new jspb.BinaryReader(message);
    while (reader.nextField()) if (!read(reader)) reader.skipField();
  } catch (error) {
    throw new CriuImageError(path, (error as Error).message);
  }
}
