/**
 * Cuts an image into blocks by its content: where the CRC of a 4 KiB page says so, never before `min` and always at `max`
 * pages; and wherever metadata begin or end, so that metadata blocks hold nothing else. Two images that share a run of
 * pages share the blocks inside it, wherever the run stands. docs/volume-format.md has the measurements behind the sizes.
 */
import { crc32 } from 'node:zlib';
import { MAX_BLOCK_PAGES } from './block.ts';
import { PAGE_BYTES } from './types.ts';

/** Lengths of blocks in pages. `mean` is how many pages follow, on average, until a cut, once `min` is reached. */
export interface BlockSizes {
  min: number;
  mean: number;
  max: number;
}

/** Changing these changes every root: the format ids in `format.ts` carry a number for that. */
export const BLOCK_SIZES: BlockSizes = { min: 8, mean: 24, max: MAX_BLOCK_PAGES };

export interface Chunk {
  bytes: Buffer;
  metadata: boolean;
}

/** Reads at most this much at once. */
const WINDOW_BYTES = 1024 * 1024;

/** Fills `into` from `position`; answers how much it read, less only at the end. */
export type ReadAt = (into: Buffer, position: number) => Promise<number> | number;

/** Cuts the whole image, in order. `bytes` stay valid: each window is a buffer of its own. */
export async function* chunks(
  readAt: ReadAt,
  sizeBytes: number,
  isMetadata: (page: number) => boolean,
  sizes: BlockSizes = BLOCK_SIZES,
): AsyncGenerator<Chunk> {
  const maxBytes = sizes.max * PAGE_BYTES;
  let window: Buffer = Buffer.alloc(0);
  for (let position = 0; position < sizeBytes; ) {
    if (window.length < maxBytes && position + window.length < sizeBytes) {
      window = await refill(readAt, window, position, sizeBytes);
    }
    const page = position / PAGE_BYTES;
    const length = PAGE_BYTES * nextCut(window, (i) => isMetadata(page + i), sizes);
    yield { bytes: window.subarray(0, length), metadata: isMetadata(page) };
    window = window.subarray(length);
    position += length;
  }
}

async function refill(readAt: ReadAt, rest: Buffer, position: number, sizeBytes: number): Promise<Buffer> {
  const window = Buffer.allocUnsafeSlow(Math.min(WINDOW_BYTES, sizeBytes - position));
  rest.copy(window);
  const fresh = window.subarray(rest.length);
  if ((await readAt(fresh, position + rest.length)) !== fresh.length) throw new Error('the image is cut off');
  return window;
}

/** Pages of the block that begins where `window` begins. `isMetadata` counts from there, too. */
export function nextCut(window: Buffer, isMetadata: (page: number) => boolean, sizes: BlockSizes): number {
  const limit = Math.min(window.length / PAGE_BYTES, sizes.max);
  const kind = isMetadata(0);
  for (let pages = 1; pages < limit; pages++) {
    if (isMetadata(pages) !== kind) return pages;
    if (pages < sizes.min) continue;
    const crc = crc32(window.subarray((pages - 1) * PAGE_BYTES, pages * PAGE_BYTES));
    if (crc % sizes.mean === 0) return pages;
  }
  return limit;
}
