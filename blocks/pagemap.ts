/**
 * CRIU's map of a process's memory: which addresses are where in its file of pages. `pagemap-<pid>.img` is of a process, `pagemap-shmem-<id>.img`
 * of memory that processes share. Source of the format: images/pagemap.proto and criu/image-desc.c of CRIU 4.2.
 */
import jspb from 'google-protobuf';
import { CriuImageError, encodeRecords, MAGIC, numbersOf, recordsIn } from './criu-image.ts';
import { PAGE_BYTES } from './types.ts';

/** Addresses that follow each other, and so do their pages in the file. */
export interface PageRun {
  address: number;
  pages: number;
  /** Whether a restore with lazy pages leaves it for later. */
  isLazy: boolean;
  /** The first page's number in the file of pages. */
  at: number;
}

export interface Pagemap {
  /** `pages-<id>.img`. */
  id: number;
  /** Ascending by address. */
  runs: PageRun[];
}

/** Pages in a row, as they are written down. */
export interface Entry {
  address: number;
  pages: number;
  /** `FLAG`. */
  flags: number;
}

/** Fields of the two messages. `pages` is the older one of 32 bits, which CRIU 4.2 fills in too where the number fits. */
const HEAD = { pagesId: 1 };
const ENTRY = { address: 1, pages: 2, flags: 4, pages64: 5 };
/** An entry's pages are in the file of pages only where they are present, and not in a parent's dump. */
export const FLAG = { parent: 1, lazy: 2, present: 4 };

/** `path` is for errors. Throws `CriuImageError`. */
export function decodeEntries(image: Buffer, path: string): { id: number; entries: Entry[] } {
  const [head, ...rest] = recordsIn(image, MAGIC.pagemap, path);
  const id = head && numbersOf(path, head)[HEAD.pagesId];
  if (id === undefined) throw new CriuImageError(path, 'it names no file of pages');
  const entries = rest.map((record) => {
    const fields = numbersOf(path, record);
    const [address, flags = FLAG.present] = [fields[ENTRY.address], fields[ENTRY.flags]];
    const pages = fields[ENTRY.pages64] ?? fields[ENTRY.pages];
    if (address === undefined || pages === undefined) throw new CriuImageError(path, 'it leaves out pages');
    return { address, pages, flags };
  });
  return { id, entries };
}

export function encodeEntries(id: number, entries: readonly Entry[]): Buffer {
  const head = new jspb.BinaryWriter();
  head.writeUint32(HEAD.pagesId, id);
  const records = entries.map(({ address, pages, flags }) => {
    const writer = new jspb.BinaryWriter();
    writer.writeUint64(ENTRY.address, address);
    writer.writeUint32(ENTRY.pages, pages);
    writer.writeUint32(ENTRY.flags, flags);
    writer.writeUint64(ENTRY.pages64, pages);
    return writer.getResultBuffer();
  });
  return encodeRecords(MAGIC.pagemap, [head.getResultBuffer(), ...records]);
}

/** Throws `CriuImageError` for what is no map of a whole dump. */
export function decodePagemap(image: Buffer): Pagemap {
  const path = 'a pagemap';
  const { id, entries } = decodeEntries(image, path);
  let at = 0;
  const runs = entries.map(({ address, pages, flags }) => {
    if (flags & FLAG.parent || !(flags & FLAG.present)) throw new CriuImageError(path, 'it leaves out pages');
    const run = { address, pages, isLazy: (flags & FLAG.lazy) !== 0, at };
    at += pages;
    return run;
  });
  return { id, runs };
}

/** The run that has the address. */
export function runAt({ runs }: Pagemap, address: number): PageRun | undefined {
  let [from, to] = [0, runs.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const run = runs[middle]!;
    if (address < run.address) to = middle;
    else if (address >= run.address + run.pages * PAGE_BYTES) from = middle + 1;
    else return run;
  }
  return undefined;
}
