import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { filesOfFlat, readHead } from './flat-read.ts';
import { storeMemory } from './memory-volume.ts';
import { openPageNames } from './page-names.ts';
import { type EntryTwin, LAZY, PRESENT, pagemapImage } from './pagemap.twin.ts';
import { openBlockStore } from './store.ts';
import { generator, noise, scratch } from './testing.ts';
import { PAGE_BYTES } from './types.ts';
import { type Base, CHANGED, together, unchangedPages } from './unchanged-pages.ts';
import { openVolumeStore } from './volumes.ts';

const BASE = 2 ** 40;

interface Area {
  address: number;
  bytes: Buffer;
}

/** One process's dump. */
function dumped(t: Test, areas: readonly Area[], id = 1): string {
  const folder = join(scratch(t), 'dump');
  mkdirSync(folder);
  const entries: EntryTwin[] = areas.map(({ address, bytes }) => ({
    address,
    pages: bytes.length / PAGE_BYTES,
    flags: PRESENT | LAZY,
  }));
  writeFileSync(join(folder, 'pagemap-7.img'), pagemapImage(id, entries));
  writeFileSync(join(folder, `pages-${id}.img`), Buffer.concat(areas.map(({ bytes }) => bytes)));
  return folder;
}

async function stores(t: Test) {
  const dir = scratch(t);
  const blocks = await openBlockStore(join(dir, 'blocks'), { onCorrupt: (error) => t.fail(error.message) });
  return {
    blocks,
    volumes: await openVolumeStore(join(dir, 'volumes')),
    pageNames: openPageNames(join(dir, 'names')),
  };
}

async function baseOf(t: Test, directory: string): Promise<Base> {
  const { blocks, volumes } = await stores(t);
  const { root } = await storeMemory({ id: 'c1', directory }, { blocks, volumes });
  const index = (await volumes.get(root))!;
  const head = await readHead(index, blocks);
  return { index, head, files: filesOfFlat(head), blocks };
}

t.test('pages are compared at their addresses, wherever the files have them', async (t) => {
  const [a, b] = [noise(300 * PAGE_BYTES, 1), noise(20 * PAGE_BYTES, 2)];
  const base = await baseOf(
    t,
    dumped(t, [
      { address: BASE, bytes: a },
      { address: BASE + 2 ** 30, bytes: b },
    ]),
  );
  const next = Buffer.from(a);
  next[PAGE_BYTES * 260] = next[PAGE_BYTES * 260]! ^ 1;
  const now = dumped(
    t,
    [
      { address: BASE - 5 * PAGE_BYTES, bytes: Buffer.concat([noise(5 * PAGE_BYTES, 3), next]) },
      { address: BASE + 2 ** 30 + 2 * PAGE_BYTES, bytes: b.subarray(2 * PAGE_BYTES) },
    ],
    4,
  );
  const places = base.files.get('pages-1.img')!.pages;
  const expected = Array.from({ length: 323 }, (_, i) => {
    if (i < 5 || i === 265) return CHANGED;
    return places[i < 305 ? i - 5 : 300 + (i - 305) + 2];
  });
  t.same([...unchangedPages(now, base).get('pages-4.img')!], expected);
});

t.test('what the base does not have, or has lost, counts as changed', async (t) => {
  const bytes = noise(40 * PAGE_BYTES);
  const now = dumped(t, [{ address: BASE, bytes }]);
  const base = await baseOf(t, now);
  t.equal(unchangedPages(now, { ...base, files: new Map() }).size, 0, 'a process');
  const lost = base.index.blockId(base.index.blockAt(base.files.get('pages-1.img')!.pages[20]! * PAGE_BYTES));
  const path = (id: string) => (id === lost ? '/nowhere' : base.blocks.path(id));
  const found = unchangedPages(now, { ...base, blocks: { path } }).get('pages-1.img')!;
  t.equal(found.filter((place) => place === CHANGED).length, 16, 'a block');
});

t.test('areas that touch, overlap or lie apart', (t) => {
  const run = (address: number, pages: number, at: number) => ({
    address: address * PAGE_BYTES,
    pages,
    isLazy: true,
    at,
  });
  t.same([...together([run(10, 10, 0)], [run(0, 10, 0), run(20, 5, 10)])], []);
  t.same(
    [...together([run(10, 10, 0)], [run(5, 8, 0), run(15, 1, 8), run(18, 9, 9)])],
    [
      [0, 5, 3],
      [5, 8, 1],
      [8, 9, 2],
    ],
  );
  t.same([...together([], [run(1, 1, 0)])], []);
  t.end();
});

/** Areas that grow, move, go, and change here and there. */
function goOn(areas: readonly Area[], { below }: ReturnType<typeof generator>): Area[] {
  const next = areas
    .filter(() => below(10) > 0)
    .map(({ address, bytes }): Area => {
      const grown = Buffer.concat([bytes, noise(below(3) * PAGE_BYTES, below(1000))]);
      for (let i = below(20); i > 0; i--) grown.writeUInt32LE(below(2 ** 31), below(grown.length - 4));
      if (below(4) === 0) grown.fill(0, 0, PAGE_BYTES);
      return { address: below(6) === 0 ? address + 2 ** 32 : address, bytes: grown };
    });
  const fresh = {
    address: BASE + below(2 ** 10) * 2 ** 34,
    bytes: noise((1 + below(80)) * PAGE_BYTES, below(1000)),
  };
  return [...next.filter(({ address }) => address !== fresh.address), fresh].sort(
    (a, b) => a.address - b.address,
  );
}

t.test('a volume is the same to the byte, whether its pages were compared or hashed', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 100_000);
  t.comment(`SEED=${seed}`);
  const random = generator(seed);
  const { blocks, volumes, pageNames } = await stores(t);
  let areas: Area[] = [{ address: BASE, bytes: noise(200 * PAGE_BYTES, 1) }];
  let base: string | undefined;
  for (let i = 0; i < 12; i++) {
    const dump = { id: `c${i}`, directory: dumped(t, areas), base };
    const { root } = await storeMemory(dump, { blocks, volumes });
    t.equal((await storeMemory(dump, { blocks, volumes, pageNames })).root, root);
    base = root;
    areas = goOn(areas, random);
  }
});
