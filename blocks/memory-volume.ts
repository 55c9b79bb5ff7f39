/**
 * A *memory volume*: the EROFS image of the folder that CRIU has dumped into. Not compressed, since a fault of 4 KiB would have to wait
 * for a whole cluster. The image is never in one piece: its blocks are made from the dump's files.
 *
 * A process that writes lightly changes single pages all over its memory, and blocks that are cheap to store and to fetch hold many pages. So
 * the next checkpoint of the same process keeps a block of the one before (its *base*) as long as enough of its pages are used
 * still, and packs all other pages into blocks of their own; the files' maps tell where each page is. What that costs are pages in kept
 * blocks that nobody reads any more. docs/volume-format.md has the measurements behind it.
 */
import { MAX_BLOCK_BYTES } from './block.ts';
import type { Chunk } from './chunker.ts';
import { type DumpFile, filesIn, numberPages, PageReader, UNKNOWN, wholeFiles } from './dump-folder.ts';
import { flatHead, HOLE, headPages, type Placed, pagesOf } from './flat-image.ts';
import { filesOfFlat, readHead } from './flat-read.ts';
import { MEMORY_FORMAT, uuidOf } from './format.ts';
import { eagerPages } from './lazy-marks.ts';
import type { PageNames } from './page-names.ts';
import { nameOf, PageNumbers, WORDS } from './page-numbers.ts';
import { Places } from './page-places.ts';
import { type Piece, type StoredImage, type Stores, storeVolume } from './store-image.ts';
import { PAGE_BYTES, type Root, type VolumeIndex } from './types.ts';
import { CHANGED, unchangedPages } from './unchanged-pages.ts';
import type { BlockEntry } from './volume.ts';

export interface Dump {
  /** The checkpoint's. */
  id: string;
  /** Flat, and no longer written to. */
  directory: string;
  /** The memory volume of an earlier checkpoint of the same processes. Blocks of it that are not here are not shared, which does no harm. */
  base?: Root | undefined;
}

export interface Remembered {
  pageNames?: PageNames;
}

/** How pages become blocks. docs/volume-format.md has the measurements behind the numbers. */
export interface MemoryLayout {
  blockPages: number;
  /** A block of the base stays while at least this share of its pages is in use. */
  keptShareMin: number;
  /** So many of the pages that CRIU reads before the first instruction come with the index. */
  firstPagesMax: number;
}

export const MEMORY_LAYOUT: MemoryLayout = {
  blockPages: 16,
  keptShareMin: 1 / 3,
  firstPagesMax: (8 << 20) / PAGE_BYTES,
};

/** Rejects with `NotFlatError` for a folder that CRIU has not written; nothing is stored then. */
export async function storeMemory(
  { id, directory, base }: Dump,
  stores: Stores & Remembered,
  signal?: AbortSignal,
  layout: MemoryLayout = MEMORY_LAYOUT,
): Promise<StoredImage> {
  const files = filesIn(directory);
  const small = files.filter(({ isSmall }) => isSmall);
  const large = files.filter(({ isSmall }) => !isSmall);
  const numbers = new PageNumbers();
  const index = await indexOf(base, stores);
  const known = await knownPages(index, directory, stores, numbers);
  const numbered = large.map((file) => numberPages(file, numbers, known.get(file.name)));

  const places = new Places(numbers.count, headPages(files));
  const smallRows = small.map((file) => places.row(pagesOf(file)));
  const first = placeFirst(large, numbered, eagerPages(directory), places, layout.firstPagesMax);
  const kept = await keepBlocks(index, stores, numbers, places, layout.keptShareMin);
  const freshFrom = places.next;
  for (const pages of numbered) for (const number of pages) places.add(number);

  const placedSmall = small.map((file, i): Placed => ({ ...file, pages: smallRows[i]! }));
  const placedLarge = large.map((file, i) => ({
    ...file,
    pages: numbered[i]!.map((number) => places.of(number)),
  }));
  const head = flatHead([...placedSmall, ...placedLarge], places.next, uuidOf(`memory of ${id}`));
  async function* pieces(): AsyncGenerator<Piece> {
    yield* metadata(Buffer.concat([head, wholeFiles(small), first]));
    yield* kept;
    yield* freshBlocks(placedLarge, freshFrom, layout.blockPages);
  }
  const stored = await storeVolume(MEMORY_FORMAT, pieces(), stores, signal);
  stores.pageNames?.put(stored.root, namesByPage(numbers, places, kept));
  return stored;
}

/**
 * What CRIU reads itself before the first instruction comes with the index, as its small files do. Answers the pages' bytes, in the order of
 * their places. Shared memory may be too large for that, and is fetched as it is read.
 */
function placeFirst(
  files: readonly DumpFile[],
  numbered: readonly Uint32Array[],
  eager: ReadonlyMap<string, readonly number[]>,
  places: Places,
  pagesMax: number,
): Buffer {
  const bytes: Buffer[] = [];
  files.forEach((file, i) => {
    const reader = new PageReader(file.path);
    for (const page of eager.get(file.name) ?? []) {
      const number = numbered[i]![page] ?? HOLE;
      if (number === HOLE || places.has(number) || bytes.length === pagesMax) continue;
      places.add(number);
      const one = Buffer.allocUnsafe(PAGE_BYTES);
      reader.read(page, one);
      bytes.push(one);
    }
    reader.close();
  });
  return Buffer.concat(bytes);
}

async function indexOf(base: Root | undefined, { volumes }: Stores): Promise<VolumeIndex | undefined> {
  const index = base === undefined ? undefined : await volumes.get(base);
  return index?.format === MEMORY_FORMAT ? index : undefined;
}

/** By the file of pages, the numbers of those that are as they were when the base was made. None where its pages' names are not remembered. */
async function knownPages(
  index: VolumeIndex | undefined,
  directory: string,
  { blocks, pageNames }: Stores & Remembered,
  numbers: PageNumbers,
): Promise<Map<string, Uint32Array>> {
  const found = new Map<string, Uint32Array>();
  const names = index && pageNames?.get(index.root);
  const head = names && (await readHead(index, blocks).catch(() => undefined));
  if (!names || !head) return found;
  const number = (place: number) => {
    const isNamed =
      place !== CHANGED && names.subarray(place * WORDS, (place + 1) * WORDS).some((word) => word !== 0);
    return isNamed ? numbers.addNamed(names, place * WORDS) : UNKNOWN;
  };
  for (const [file, places] of unchangedPages(directory, { index, head, files: filesOfFlat(head), blocks }))
    found.set(file, places.map(number));
  return found;
}

/** A block of the base, with the names of its pages. */
interface KeptBlock extends BlockEntry {
  names: Uint32Array;
  /** Its first page in the new image. */
  at: number;
}

/** Finds the base's blocks that are here and used enough, and gives their pages places. */
async function keepBlocks(
  base: VolumeIndex | undefined,
  { blocks, pageNames }: Stores & Remembered,
  numbers: PageNumbers,
  places: Places,
  shareMin: number,
): Promise<KeptBlock[]> {
  const kept: KeptBlock[] = [];
  const remembered = base && pageNames?.get(base.root);
  for (let i = 0; i < (base?.blockCount ?? 0); i++) {
    if (base!.isMetadata(i)) continue;
    const names = await namesIn(base!, i, blocks, remembered);
    if (!names) continue;
    const found = Array.from({ length: names.length / WORDS }, (_, page) =>
      numbers.find(names, page * WORDS),
    );
    const used = found.filter((number) => number !== undefined && !places.has(number)).length;
    if (used < found.length * shareMin) continue;
    const sizeBytes = base!.offset(i + 1) - base!.offset(i);
    kept.push({ id: base!.blockId(i), sizeBytes, metadata: false, names, at: places.next });
    places.addBlock(found);
  }
  return kept;
}

/** undefined: the block is not here. */
async function namesIn(
  index: VolumeIndex,
  block: number,
  blocks: Stores['blocks'],
  remembered: Uint32Array | undefined,
): Promise<Uint32Array | undefined> {
  const id = index.blockId(block);
  if (!remembered) {
    const bytes = await blocks.get(id);
    return bytes && namesOf(bytes);
  }
  if (!blocks.has(id)) return undefined;
  const [from, to] = [index.offset(block), index.offset(block + 1)].map((at) => (at / PAGE_BYTES) * WORDS);
  return remembered.subarray(from, to);
}

function namesOf(bytes: Buffer): Uint32Array {
  const names = new Uint32Array((bytes.length / PAGE_BYTES) * WORDS);
  for (let page = 0; page < bytes.length / PAGE_BYTES; page++)
    names.set(nameOf(bytes.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES)), page * WORDS);
  return names;
}

/** Of all pages of the image; of none that is metadata. */
function namesByPage(numbers: PageNumbers, places: Places, kept: readonly KeptBlock[]): Uint32Array {
  const names = new Uint32Array(places.next * WORDS);
  for (let number = 0; number < numbers.count; number++)
    names.set(numbers.nameOf(number), places.of(number) * WORDS);
  for (const block of kept) names.set(block.names, block.at * WORDS);
  return names;
}

function* metadata(bytes: Buffer): Generator<Chunk> {
  for (let at = 0; at < bytes.length; at += MAX_BLOCK_BYTES) {
    yield { bytes: bytes.subarray(at, at + MAX_BLOCK_BYTES), metadata: true };
  }
}

/** The pages from `first` on, in the image's order, which is also that of the files. */
function* freshBlocks(
  files: readonly (DumpFile & Placed)[],
  first: number,
  blockPages: number,
): Generator<Chunk> {
  let block = Buffer.allocUnsafeSlow(blockPages * PAGE_BYTES);
  let filled = 0;
  let next = first;
  for (const file of files) {
    const reader = new PageReader(file.path);
    try {
      for (let page = 0; page < file.pages.length; ) {
        const run = runAt(file.pages, page, next, blockPages - filled / PAGE_BYTES);
        const end = filled + run * PAGE_BYTES;
        if (run > 0) reader.read(page, block.subarray(filled, end));
        page += Math.max(run, 1);
        next += run;
        filled = end;
        if (filled < block.length) continue;
        yield { bytes: block, metadata: false };
        block = Buffer.allocUnsafeSlow(blockPages * PAGE_BYTES);
        filled = 0;
      }
    } finally {
      reader.close();
    }
  }
  if (filled > 0) yield { bytes: block.subarray(0, filled), metadata: false };
}

/** How many of the file's pages from `page` on stand in the image from `next` on, up to `limit`. */
function runAt(pages: Uint32Array, page: number, next: number, limit: number): number {
  let run = 0;
  while (run < limit && pages[page + run] === next + run && pages[page + run] !== HOLE) run++;
  return run;
}
