import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { digestOf } from '../../blocks/digest.ts';
import { MEMORY_LAYOUT, storeMemory } from '../../blocks/memory-volume.ts';
import { LAZY, PRESENT, pagemapImage, pagesImage } from '../../blocks/pagemap.twin.ts';
import { PAGE_BYTES, type VolumeIndex } from '../../blocks/types.ts';
import { storeObject } from '../image-refs-object.ts';
import { memoryBlocks, memoryNeighbours, memoryVolumes, silent } from '../twins.ts';
import { firstBlocks } from './first-blocks.ts';
import { decodeWorkingSet, encodeWorkingSet, MemoryMap } from './working-set.ts';

const { blockPages } = MEMORY_LAYOUT;

/** Two processes: of the first, block 0 is read by CRIU itself, blocks 1 to 9 are lazy; the second has three lazy blocks. A large file lies before them. */
async function memory(t: Test) {
  const directory = mkdtempSync(join(tmpdir(), 'forage-working-set-'));
  t.teardown(() => rm(directory, { recursive: true }));
  const dump = join(directory, 'dump');
  mkdirSync(dump);
  const [first, second] = [10 * blockPages, 3 * blockPages];
  const files: Record<string, Buffer> = {
    'ghost-file-1.img': pagesImage(130 * blockPages, 10_000),
    'pagemap-1.img': pagemapImage(1, [
      { address: 0x10000, pages: blockPages, flags: PRESENT },
      { address: 0x80000, pages: blockPages, flags: PRESENT | LAZY },
      { address: 0x80000 + blockPages * PAGE_BYTES, pages: first - 2 * blockPages, flags: PRESENT | LAZY },
    ]),
    'pagemap-9.img': pagemapImage(2, [{ address: 0x10000, pages: second, flags: PRESENT | LAZY }]),
    'pages-1.img': pagesImage(first, 1000),
    'pages-2.img': pagesImage(second, 2000),
  };
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dump, name), bytes);
  const [blocks, volumes] = [memoryBlocks(), memoryVolumes()];
  const layout = { ...MEMORY_LAYOUT, firstPagesMax: 0 };
  const { root } = await storeMemory({ id: 'c1', directory: dump }, { blocks, volumes }, undefined, layout);
  const index = (await volumes.get(root))!;
  /** First page of each of these blocks, by its number. */
  const pagesIn = async (numbers: Iterable<number>) =>
    Promise.all(Array.from(numbers, async (i) => (await blocks.get(index.blockId(i)))!.readUInt32LE(0)));
  return { blocks, index, pagesIn };
}

t.test('pages of the dump become blocks of its volume, each once, in order of first use', async (t) => {
  const { blocks, index, pagesIn } = await memory(t);
  const map = await MemoryMap.read(index, blocks);
  const order = map.blocksOf([
    [2, blockPages + 3, 1],
    [1, 5 * blockPages - 1, 2],
    [2, blockPages, 2],
    [7, 0, 1],
    [1, 100_000, 3],
  ]);
  t.same(await pagesIn(order), [2000 + blockPages, 1000 + 4 * blockPages, 1000 + 5 * blockPages]);
});

t.test('what CRIU reads before the first instruction: large files and pages that are not lazy', async (t) => {
  const { blocks, index, pagesIn } = await memory(t);
  const found = await pagesIn((await MemoryMap.read(index, blocks)).readFirst());
  const files = Array.from({ length: 130 }, (_, i) => 10_000 + i * blockPages);
  t.same(found, [...files, 1000]);
});

t.test('memory whose use is not known: its smallest areas, as far as they are small', async (t) => {
  const { blocks, index, pagesIn } = await memory(t);
  const map = await MemoryMap.read(index, blocks);
  const second = [0, 1, 2].map((i) => 2000 + i * blockPages);
  t.same(await pagesIn(map.likelyFirst(3 * blockPages * PAGE_BYTES)), second);
  t.same(await pagesIn(map.likelyFirst(2 * blockPages * PAGE_BYTES)), []);
  t.equal(map.likelyFirst(100 * blockPages * PAGE_BYTES).length, 12);
});

t.test('a working set is kept as numbers of 4 bytes; those of no block are left out', (t) => {
  const bytes = encodeWorkingSet(Uint32Array.of(1, 0x01020304, 2));
  t.equal(bytes.toString('hex'), '010000000403020102000000');
  t.same(decodeWorkingSet(Buffer.concat([bytes, Buffer.of(1)]), 3), Uint32Array.of(1, 2));
  t.end();
});

async function bringing(index: VolumeIndex, blocks: ReturnType<typeof memoryBlocks>) {
  const neighbours = memoryNeighbours(() => Promise.reject(new Error('not asked for')));
  return { neighbours, first: await firstBlocks({ neighbours, blocks, log: silent }, index) };
}

t.test('what a restore needs first is brought ahead of its reads, in order', async (t) => {
  const { blocks, index } = await memory(t);
  const { neighbours, first } = await bringing(index, blocks);
  const order = first.of([
    [2, 0, 1],
    [1, 9 * blockPages, 1],
  ]);
  const bytes = encodeWorkingSet(order);
  const workingSet = await storeObject(blocks, { digest: digestOf(bytes), mediaType: 'x' }, bytes);
  await first.bring(workingSet, new AbortController().signal);
  const ahead = neighbours.asked.filter(({ priority }) => priority === 'prefetch').map(({ id }) => id);
  t.equal(ahead.length, 130 + 1 + 2);
  const wanted = Array.from(order, (i) => index.blockId(i));
  t.same(
    ahead.filter((id) => wanted.includes(id)),
    wanted,
  );
});

t.test('a working set that cannot be had fails no restore', async (t) => {
  const { blocks, index } = await memory(t);
  const { neighbours, first } = await bringing(index, blocks);
  neighbours.serve = () => Promise.reject(new Error('nobody has it'));
  const workingSet = { digest: 'sha256:1', mediaType: 'x', sizeBytes: PAGE_BYTES, blocks: ['ab'] };
  await first.bring(workingSet, new AbortController().signal);
  t.ok(neighbours.asked.length > 17);
});
