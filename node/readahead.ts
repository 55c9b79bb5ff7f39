/**
 * Which blocks to fetch ahead of a reader. Pure: a container that reads a file from end to end should not pay a round
 * trip for each block, and one that reads here and there should not pay for bytes that it never asked for.
 */
import { LRUCache } from 'lru-cache';
import type { Root } from '../blocks/types.ts';

/** Widest window, in blocks: about a megabyte or two, the product of a fast edge link and its round trip. */
const WINDOW_MAX = 16;
/** Volumes whose readers are remembered. */
const READERS_MAX = 1024;

interface Reader {
  /** The block demanded last. */
  last: number;
  /** How many blocks to keep ahead; doubles with every step forward. */
  window: number;
  /** First block that has not been asked for yet. */
  next: number;
}

export interface Readahead {
  /** Notes that block `i` of the volume was demanded. Answers the range of blocks, [from, to), to fetch ahead. */
  demanded(root: Root, i: number, blockCount: number): { from: number; to: number };
}

export function createReadahead(): Readahead {
  const readers = new LRUCache<Root, Reader>({ max: READERS_MAX });
  return {
    demanded(root, i, blockCount) {
      const reader = readers.get(root);
      const sequential =
        reader !== undefined && i > reader.last && i <= Math.max(reader.last + 1, reader.next);
      if (!sequential) {
        readers.set(root, { last: i, window: 1, next: i + 1 });
        return { from: i + 1, to: i + 1 };
      }
      const window = Math.min(reader.window * 2, WINDOW_MAX);
      const from = Math.max(reader.next, i + 1);
      const to = Math.min(i + 1 + window, blockCount);
      readers.set(root, { last: i, window, next: Math.max(from, to) });
      return { from, to: Math.max(from, to) };
    },
  };
}
