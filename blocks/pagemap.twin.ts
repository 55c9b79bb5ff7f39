/** CRIU's images of memory for tests: maps, and files of pages whose bytes tell which page they are. */
import { MAGIC } from './criu-image.ts';
import { type Field, image, message } from './testing.ts';
import { PAGE_BYTES } from './types.ts';

export const LAZY = 2;
export const PRESENT = 4;

export interface EntryTwin {
  address: number;
  pages: number;
  flags?: number;
  /** As CRIU before 4.2 wrote it: 32 bits. */
  isOld?: boolean;
}

export function pagemapImage(id: number, entries: readonly EntryTwin[]): Buffer {
  const bodies = entries.map(({ address, pages, flags, isOld }) => {
    const fields: [number, Field][] = [
      [1, address],
      [2, isOld ? pages : 0],
    ];
    if (flags !== undefined) fields.push([4, flags]);
    if (!isOld) fields.push([5, pages]);
    return message(...fields);
  });
  return image(MAGIC.pagemap, message([1, id]), ...bodies);
}

/** Each page begins with its number, counted from `first`. */
export function pagesImage(pages: number, first = 0): Buffer {
  const image = Buffer.alloc(pages * PAGE_BYTES, 7);
  for (let i = 0; i < pages; i++) image.writeUInt32LE(first + i, i * PAGE_BYTES);
  return image;
}
