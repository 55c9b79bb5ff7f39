/**
 * What do ten checkpoints of one process cost, with blocks of several sizes and layouts?
 *
 *   node bench/memory-blocks.ts [FOLDER] [--only TEXT] [--json FILE]   (root; as much room as ten dumps, twice)
 *
 * FOLDER holds dumps of one process, each a folder, in the order of their names. Without it: 200 MB of noise of which 4000 pages, scattered,
 * change between any two dumps, and now and then a mapping comes in before all others. For each way: the first volume, what all
 * ten store (as a multiple of the first), the last image and its blocks, time to make the first and a later one, and time to read
 * the last one's pages from a mount with warm caches. `--only`: the ways whose names begin so.
 */
import { createCipheriv } from 'node:crypto';
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type BlockSizes, type Chunk, chunks } from '../blocks/chunker.ts';
import { MS_RDONLY, mount, unmount } from '../blocks/libc.ts';
import { MEMORY_LAYOUT, type MemoryLayout, storeMemory } from '../blocks/memory-volume.ts';
import { openBlockStore } from '../blocks/store.ts';
import { type StoredImage, type Stores, storeVolume } from '../blocks/store-image.ts';
import { assemble, generator } from '../blocks/testing.ts';
import type { Root } from '../blocks/types.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import { finish, median, table } from './report.ts';

/** Names are sizes in KiB: one for all blocks, or least, mean and greatest. Blocks are cut at content, or laid out for what they hold. */
type Way = { name: string; cut: BlockSizes } | { name: string; layout: MemoryLayout; withBase: boolean };

const cut = (name: string, min: number, mean: number, max: number): Way => ({
  name,
  cut: { min, mean, max },
});
const fixed = (kib: number): Way => ({
  name: `fixed ${kib}`,
  layout: { ...MEMORY_LAYOUT, blockPages: kib / 4, keptShareMin: 1 },
  withBase: false,
});
const kept = (kib: number, keptShareMin: number): Way => ({
  name: `base ${kib}, kept from ${keptShareMin.toFixed(2)}`,
  layout: { ...MEMORY_LAYOUT, blockPages: kib / 4, keptShareMin },
  withBase: true,
});

const WAYS: Way[] = [
  cut('4/8/32', 1, 2, 8),
  cut('8/16/64', 2, 3, 16),
  cut('16/32/128', 4, 5, 32),
  cut('32/128/512', 8, 24, 128),
  ...[4, 8, 16, 32].map(fixed),
  ...[16, 32, 64, 128].map((kib) => kept(kib, 1 / 3)),
  ...[1 / 2, 1 / 4].map((share) => kept(64, share)),
];
const CHOSEN = kept(MEMORY_LAYOUT.blockPages * 4, MEMORY_LAYOUT.keptShareMin).name;

const DUMPS = 10;
const PAGE = 4096;
const PAGES = 50_000;
const CHANGES = 4000;

/** Bytes that no two dumps and no two pages share by chance. */
function noise(sizeBytes: number, seed: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32LE(seed);
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

async function makeDumps(folder: string): Promise<void> {
  let pages = noise(PAGES * PAGE, 0);
  const { below } = generator(1);
  for (let i = 0; i < DUMPS; i++) {
    const directory = join(folder, String(i).padStart(2, '0'));
    await mkdir(directory, { recursive: true });
    if (i % 4 === 2) pages = Buffer.concat([noise((1 + below(40)) * PAGE, 1000 + i), pages]);
    if (i > 0) {
      const changed = noise(CHANGES * PAGE, i);
      for (let j = 0; j < CHANGES; j++) {
        changed.copy(pages, below(pages.length / PAGE) * PAGE, j * PAGE, (j + 1) * PAGE);
      }
    }
    await writeFile(join(directory, 'pages-1.img'), pages);
  }
}

interface Made {
  result: StoredImage;
  seconds: number;
}

async function make(way: Way, directory: string, base: Root | undefined, stores: Stores): Promise<Made> {
  if ('cut' in way) return timed(() => storeVolume('bench-1', cutPages(directory, way.cut), stores));
  const dump = { id: directory, directory, base: way.withBase ? base : undefined };
  return timed(() => storeMemory(dump, stores, undefined, way.layout));
}

/** The pages files as they stand, without a file system around them. */
async function* cutPages(directory: string, sizes: BlockSizes): AsyncGenerator<Chunk> {
  for (const name of pagesFiles(directory)) {
    const file = await open(join(directory, name));
    try {
      const readAt = (into: Buffer, position: number) => readSync(file.fd, into, 0, into.length, position);
      yield* chunks(readAt, (await file.stat()).size, () => false, sizes);
    } finally {
      await file.close();
    }
  }
}

function pagesFiles(directory: string): string[] {
  return readdirSync(directory).filter((name) => name.startsWith('pages-'));
}

async function timed(work: () => Promise<StoredImage>): Promise<Made> {
  const startMs = performance.now();
  const result = await work();
  return { result, seconds: (performance.now() - startMs) / 1000 };
}

async function storesIn(dir: string): Promise<Stores> {
  const blocks = await openBlockStore(join(dir, 'blocks'), { guest: true });
  return { blocks, volumes: await openVolumeStore(join(dir, 'volumes'), { guest: true }) };
}

/** Reads the mounted volume's pages files and compares them with the dump's; answers the seconds of reading alone. */
async function readBack(root: Root, { volumes, blocks }: Stores, dump: string, dir: string): Promise<number> {
  const image = await assemble(dir, (await volumes.get(root))!, blocks);
  const point = `${image}.mounted`;
  await mkdir(point);
  await mount(image, point, 'erofs', MS_RDONLY, '');
  try {
    let ms = 0;
    for (const name of pagesFiles(dump)) {
      ms += readAlike(join(point, name), join(dump, name));
    }
    return ms / 1000;
  } finally {
    await unmount(point);
    await rm(point, { recursive: true });
    await rm(image);
  }
}

function readAlike(path: string, original: string): number {
  const [bytes, expected] = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)];
  const [fd, originalFd] = [openSync(path, 'r'), openSync(original, 'r')];
  let ms = 0;
  for (;;) {
    const length = readSync(originalFd, expected);
    const startMs = performance.now();
    const found = readSync(fd, bytes);
    ms += performance.now() - startMs;
    if (found !== length || Buffer.compare(bytes.subarray(0, found), expected.subarray(0, length)) !== 0) {
      throw new Error(`${path} reads back otherwise`);
    }
    if (length === 0) break;
  }
  closeSync(fd);
  closeSync(originalFd);
  return ms;
}

async function measure(way: Way, dumps: readonly string[], dir: string) {
  const stores = await storesIn(join(dir, 'stores'));
  const made: Made[] = [];
  for (const dump of dumps) made.push(await make(way, dump, made.at(-1)?.result.root, stores));
  const [first, last] = [made[0]!, made.at(-1)!];
  const read = 'cut' in way ? '' : await readBack(last.result.root, stores, dumps.at(-1)!, dir);
  await rm(join(dir, 'stores'), { recursive: true });
  const storedBytes = made.reduce((sum, { result }) => sum + result.newBytes, 0);
  return {
    KiB: way.name,
    blocks: first.result.newBlocks,
    'first MB': first.result.newBytes / 1e6,
    'all / first': storedBytes / first.result.newBytes,
    'last image MB': last.result.sizeBytes / 1e6,
    'its blocks': last.result.newBlocks + last.result.sharedBlocks,
    'first s': first.seconds,
    'later s': median(made.slice(1).map(({ seconds }) => seconds)),
    'read s': read,
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string', default: '' }, json: { type: 'string' } },
});
const dir = await mkdtemp(join(process.env.TMPDIR ?? tmpdir(), 'forage-bench-'));
try {
  const folder = positionals[0] ?? join(dir, 'dumps');
  if (positionals[0] === undefined) await makeDumps(folder);
  const dumps = readdirSync(folder)
    .sort()
    .map((name) => join(folder, name));
  const rows = [];
  for (const way of WAYS.filter(({ name }) => name.startsWith(values.only))) {
    rows.push(await measure(way, dumps, dir));
  }
  console.log(table(rows));
  const bounds = rows
    .filter(({ KiB }) => KiB === CHOSEN)
    .map((row) => ({ what: `all checkpoints, ${CHOSEN}, ratio`, value: row['all / first'], atMost: 2 }));
  finish({ rows }, bounds, values.json);
} finally {
  await rm(dir, { recursive: true, force: true });
}
