/**
 * What a restored container needs first, as blocks of its checkpoint's memory volume: first all that CRIU reads before the first
 * instruction, which the images tell, then what an earlier restore of it has touched, which its record tells.
 */

import type { Placed } from '../../blocks/flat-image.ts';
import { bytesOf, filesOfFlat } from '../../blocks/flat-read.ts';
import { type BlockStore, PAGE_BYTES, type VolumeIndex } from '../../blocks/types.ts';
import { decodePagemap } from '../../shim/pagemap.ts';
import type { Touched } from '../../shim/protocol.ts';

export const WORKING_SET_MEDIA_TYPE = 'application/vnd.forage.working-set.v1';

const PAGES_FILE = /^pages-(\d+)\.img$/;
const PAGEMAP = /^pagemap-.*\.img$/;

/** The map of a memory volume: from pages of CRIU's files to blocks. */
export class MemoryMap {
  readonly #index: VolumeIndex;
  readonly #head: Buffer;
  readonly #files: Map<string, Placed>;

  private constructor(index: VolumeIndex, head: Buffer) {
    this.#index = index;
    this.#head = head;
    this.#files = filesOfFlat(head);
  }

  /** Reads the volume's metadata, which is here. Rejects where it is not, or is none. */
  static async read(index: VolumeIndex, blocks: Pick<BlockStore, 'get'>): Promise<MemoryMap> {
    const head: Buffer[] = [];
    for (let i = 0; i < index.blockCount && index.isMetadata(i); i++) {
      const bytes = await blocks.get(index.blockId(i));
      if (!bytes) throw new Error(`block ${index.blockId(i)} of the volume's metadata is not here`);
      head.push(bytes);
    }
    return new MemoryMap(index, Buffer.concat(head));
  }

  /** Numbers of the blocks that CRIU reads itself: pages that cannot come later, and large files that are no memory. */
  readFirst(): Uint32Array {
    const pages: Touched = [];
    for (const [name, file] of this.#files) {
      if (PAGEMAP.test(name)) pages.push(...this.#eagerPages(file));
    }
    const others = [...this.#files.values()].filter(({ name }) => !PAGES_FILE.test(name));
    return this.blocksOf(pages, others);
  }

  #eagerPages(file: Placed): Touched {
    const image = bytesOf(this.#head, file);
    if (!image) return []; // an odd one that is too large for the metadata: CRIU waits for it as it reads
    const { id, runs } = decodePagemap(image);
    return runs.filter(({ isLazy }) => !isLazy).map(({ at, pages }) => [id, at, pages]);
  }

  /** Numbers of the blocks that hold these files and then these pages, each once, in the order given. */
  blocksOf(touched: Touched, whole: readonly Placed[] = []): Uint32Array {
    const found = new Set<number>();
    const add = (page: number) => {
      const offset = page * PAGE_BYTES;
      if (offset >= this.#index.sizeBytes) return; // a hole
      const block = this.#index.blockAt(offset);
      if (!this.#index.isMetadata(block)) found.add(block);
    };
    for (const { pages } of whole) pages.forEach(add);
    for (const [id, from, count] of touched)
      this.#files
        .get(`pages-${id}.img`)
        ?.pages.subarray(from, from + count)
        .forEach(add);
    return Uint32Array.from(found);
  }
}

/** As its record keeps it: 4 bytes each, little-endian. */
export function encodeWorkingSet(order: Uint32Array): Buffer {
  const bytes = Buffer.alloc(4 * order.length);
  for (const [i, block] of order.entries()) bytes.writeUInt32LE(block, 4 * i);
  return bytes;
}

/** Of a volume with so many blocks: what is no number of one is left out. */
export function decodeWorkingSet(bytes: Buffer, blockCount: number): Uint32Array {
  const numbers = new Uint32Array(Math.floor(bytes.length / 4));
  for (let i = 0; i < numbers.length; i++) numbers[i] = bytes.readUInt32LE(4 * i);
  return numbers.filter((number) => number < blockCount);
}
