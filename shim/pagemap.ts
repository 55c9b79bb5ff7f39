/**
 * CRIU's map of a process's memory: which addresses are where in its file of pages. `pagemap-<pid>.img` is of a process, `pagemap-shmem-<id>.img`
 * of memory that processes share. Source of the format: images/pagemap.proto and criu/image-desc.c of CRIU 4.2.
 */
import protobuf from 'google-protobuf';
import { PAGE_BYTES } from '../blocks/types.ts';

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

const MAGIC_BYTES = 8;
const MAGIC = 0x56084025;
/** Fields of the two messages. `PAGES` is the older one of 32 bits, which CRIU 4.2 fills in too where the number fits. */
const HEAD = { pagesId: 1 };
const ENTRY = { address: 1, pages: 2, flags: 4, pages64: 5 };
const FLAG = { parent: 1, lazy: 2, present: 4 };

/** Throws for what is no map of a whole dump. */
export function decodePagemap(image: Buffer): Pagemap {
  if (image.readUInt32LE(4) !== MAGIC) throw new Error('an image that is no pagemap');
  const [head, ...entries] = messagesIn(image);
  const id = head && fieldsOf(head)[HEAD.pagesId];
  if (id === undefined) throw new Error('a pagemap without its file of pages');
  let at = 0;
  const runs = entries.map((bytes) => {
    const fields = fieldsOf(bytes);
    const [address, flags = FLAG.present] = [fields[ENTRY.address], fields[ENTRY.flags]];
    const pages = fields[ENTRY.pages64] ?? fields[ENTRY.pages];
    if (
      address === undefined ||
      pages === undefined ||
      (flags & FLAG.parent) !== 0 ||
      !(flags & FLAG.present)
    )
      throw new Error('a pagemap that leaves out pages');
    const run = { address, pages, isLazy: (flags & FLAG.lazy) !== 0, at };
    at += pages;
    return run;
  });
  return { id, runs };
}

/** Each with its length before it. */
function messagesIn(image: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = MAGIC_BYTES; at < image.length; ) {
    const from = at + 4;
    at = from + image.readUInt32LE(at);
    if (at > image.length) throw new Error('a pagemap that is cut off');
    // A plain view: google-protobuf would copy a Buffer.
    found.push(new Uint8Array(image.buffer, image.byteOffset + from, at - from));
  }
  return found;
}

/** By their numbers: all are varints. */
function fieldsOf(message: Uint8Array): (number | undefined)[] {
  const fields: (number | undefined)[] = [];
  const reader = new protobuf.BinaryReader(message);
  while (reader.nextField()) fields[reader.getFieldNumber()] = reader.readUint64();
  return fields;
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
