/**
 * What a restored container needs first, as blocks of its checkpoint's memory volume: first all that CRIU reads before the first
 * instruction, which the images tell, then what an earlier restore of it has touched, which its record tells.
 */

import type { Placed } from '../../blocks/flat-image.ts';
import { bytesOf, filesOfFlat, readHead } from '../../blocks/flat-read.ts';
import { decodePagemap, type PageRun } from '../../blocks/pagemap.ts';
import { type BlockStore, PAGE_BYTES, type VolumeIndex } from '../../blocks/types.ts';
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
    return new MemoryMap(index, await readHead(index, blocks));
  }

  /** Numbers of the blocks that CRIU reads itself: pages that cannot come later, and large files that are no memory. */
  readFirst(): Uint32Array {
    const eager = this.#runs().filter(({ isLazy }) => !isLazy);
    const others = [...this.#files.values()].filter(({ name }) => !PAGES_FILE.test(name));
    return this.blocksOf(
      eager.map(({ id, at, pages }) => [id, at, pages]),
      others,
    );
  }

  /** Of all processes and shared memory, with the number of their file of pages. */
  #runs(): (PageRun & { id: number })[] {
    return [...this.#files].flatMap(([name, file]) => {
      // An odd one is too large for the metadata: CRIU waits for it as it reads.
      const image = PAGEMAP.test(name) ? bytesOf(this.#head, file) : undefined;
      if (!image) return [];
      const { id, runs } = decodePagemap(image);
      return runs.map((run) => ({ ...run, id }));
    });
  }

  /**
   * Of memory whose use nobody has seen yet, the smallest areas, up to so many bytes: stacks, allocators' own data and programs' variables are
   * in small areas, what a program has much of is in large ones.
   */
  likelyFirst(bytesMax: number): Uint32Array {
    const areas = joined(this.#runs().filter(({ isLazy }) => isLazy)).sort((a, b) => a.pages - b.pages);
    const chosen: Touched = [];
    let bytes = 0;
    for (const { id, at, pages } of areas) {
      bytes += pages * PAGE_BYTES;
      if (bytes > bytesMax) break;
      chosen.push([id, at, pages]);
    }
    return this.blocksOf(chosen);
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

/** CRIU cuts a large area into many runs. */
function joined<R extends PageRun & { id: number }>(runs: readonly R[]): R[] {
  const areas: R[] = [];
  for (const run of runs) {
    const last = areas.at(-1);
    if (last?.id === run.id && last.address + last.pages * PAGE_BYTES === run.address)
      last.pages += run.pages;
    else areas.push({ ...run });
  }
  return areas;
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
