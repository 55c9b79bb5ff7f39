import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { metadataPages } from './erofs.ts';
import { type Dump, MEMORY_LAYOUT, storeMemory } from './memory-volume.ts';
import { openPageNames } from './page-names.ts';
import { openBlockStore } from './store.ts';
import type { StoredImage } from './store-image.ts';
import { assemble, generator, image, message, mountImage, noise, scratch } from './testing.ts';
import { PAGE_BYTES } from './types.ts';
import { openVolumeStore } from './volumes.ts';

const BLOCK_BYTES = MEMORY_LAYOUT.blockPages * PAGE_BYTES;

async function node(t: Test) {
  const dir = scratch(t);
  const blocks = await openBlockStore(join(dir, 'blocks'), { onCorrupt: (error) => t.fail(error.message) });
  const volumes = await openVolumeStore(join(dir, 'volumes'));
  let count = 0;
  const store = (files: Record<string, Buffer>, dump: Partial<Dump> = {}): Promise<StoredImage> => {
    const directory = join(dir, `dump-${count++}`);
    mkdirSync(directory);
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
    return storeMemory({ id: 'c1', directory, ...dump }, { blocks, volumes });
  };
  const imageOf = async ({ root }: StoredImage) => assemble(dir, (await volumes.get(root))!, blocks);
  return { dir, blocks, volumes, store, imageOf };
}

async function check(t: Test, image: string, files: Record<string, Buffer>): Promise<void> {
  const point = await mountImage(t, image);
  t.same(readdirSync(point).sort(), Object.keys(files).sort());
  for (const [name, bytes] of Object.entries(files)) {
    t.ok(readFileSync(join(point, name)).equals(bytes), name);
  }
}

/** Some of its pages are changed, as by a process that goes on: scattered. */
function changed(pages: Buffer, count: number, seed: number): Buffer {
  const next = Buffer.from(pages);
  const { below } = generator(seed);
  for (let i = 0; i < count; i++) next.writeUInt32LE(seed, below(pages.length / PAGE_BYTES) * PAGE_BYTES + 8);
  return next;
}

t.test('what the kernel reads from the mounted volume is the dump', async (t) => {
  const { store, imageOf } = await node(t);
  const many = Object.fromEntries(
    Array.from({ length: 400 }, (_, i) => [`fdinfo-${'x'.repeat(i % 60)}${i}.img`, noise(i * 7, i)]),
  );
  const files = {
    ...many,
    'inventory.img': noise(100),
    'empty.img': Buffer.alloc(0),
    'page.img': noise(PAGE_BYTES),
    'large.img': noise(9_000_001, 3),
    'pages-1.img': noise(40 * PAGE_BYTES, 1),
    'pages-2.img': Buffer.concat([
      noise(3 * PAGE_BYTES, 2),
      Buffer.alloc(300 * PAGE_BYTES),
      noise(5 * PAGE_BYTES, 1),
    ]),
  };
  await check(t, await imageOf(await store(files)), files);
});

t.test('zeros and equal pages are stored once at most', async (t) => {
  const { store } = await node(t);
  const page = noise(PAGE_BYTES);
  const result = await store({
    'pages-1.img': Buffer.concat([Buffer.alloc(50 * PAGE_BYTES), ...Array(50).fill(page)]),
  });
  t.equal(result.sizeBytes - result.metadataBytes, PAGE_BYTES);
});

t.test('all but the pages files and what is large comes with the index', async (t) => {
  const { store, volumes, blocks } = await node(t);
  const marker = Buffer.from('a marker that is in a small file');
  const result = await store({ 'core-1.img': marker, 'pages-1.img': noise(BLOCK_BYTES) });
  const index = (await volumes.get(result.root))!;
  const has: boolean[] = [];
  for (let i = 0; i < index.blockCount; i++) {
    if ((await blocks.get(index.blockId(i)))!.includes(marker)) has.push(index.isMetadata(i));
  }
  t.same(has, [true]);
  t.equal(result.metadataBytes, result.sizeBytes - BLOCK_BYTES);
});

t.test('pages that are not left to userfaultfd come with the index, too', async (t) => {
  const { store, imageOf, volumes, blocks } = await node(t);
  const entry = (pages: number, flags: number) => message([1, 4096], [2, pages], [4, flags], [5, pages]);
  const pages = noise(100 * PAGE_BYTES);
  const pagemap = image(0x56084025, message([1, 1]), entry(50, 6), entry(2, 4), entry(48, 6));
  const files = { 'pagemap-9.img': pagemap, 'pages-1.img': pages };
  const result = await store(files);
  t.equal(result.sizeBytes - result.metadataBytes, 98 * PAGE_BYTES);
  const index = (await volumes.get(result.root))!;
  const first = (await blocks.get(index.blockId(0)))!;
  t.ok(index.isMetadata(0) && first.includes(pages.subarray(50 * PAGE_BYTES, 52 * PAGE_BYTES)));
  await check(t, await imageOf(result), files);
});

t.test('every page that a walk of the tree reads is metadata', async (t) => {
  const { store, imageOf } = await node(t);
  const result = await store({ 'a.img': noise(5000), 'pages-1.img': noise(3_000_000) });
  const image = readFileSync(await imageOf(result));
  const pages = metadataPages((into, position) => image.copy(into, 0, position), image.length);
  for (let page = result.metadataBytes / PAGE_BYTES; page < pages.pageCount; page++) t.notOk(pages.has(page));
});

t.test('one dump has one root, whatever its times and owners', async (t) => {
  const files = { 'a.img': noise(10), 'pages-1.img': noise(1_000_000) };
  const first = await (await node(t)).store(files);
  t.equal((await (await node(t)).store(files)).root, first.root);
  t.not((await (await node(t)).store(files, { id: 'c2' })).root, first.root);
});

t.test('the next dump stores what has changed, wherever it stands', async (t) => {
  const { store, imageOf } = await node(t);
  const first = noise(8 * 1024 * 1024);
  const base = await store({ 'pages-1.img': first });
  t.equal(base.newBytes, base.sizeBytes);
  const second = Buffer.concat([noise(3 * PAGE_BYTES, 5), changed(first, 100, 1)]);
  const next = await store({ 'pages-1.img': second }, { base: base.root });
  t.ok(next.newBytes - next.metadataBytes <= 103 * PAGE_BYTES, `${next.newBytes} bytes`);
  await check(t, await imageOf(next), { 'pages-1.img': second });
});

t.test('a base whose page names are remembered is not read, and shares the same', async (t) => {
  const dir = scratch(t);
  const blocks = await openBlockStore(join(dir, 'blocks'), { onCorrupt: (error) => t.fail(error.message) });
  const volumes = await openVolumeStore(join(dir, 'volumes'));
  const pageNames = openPageNames(join(dir, 'names'));
  let pages = noise(4 * 1024 * 1024);
  let base: StoredImage | undefined;
  for (let i = 0; i < 6; i++) {
    const directory = join(dir, `dump-${i}`);
    mkdirSync(directory);
    writeFileSync(join(directory, 'pages-1.img'), pages);
    let reads = 0;
    const counted = new Proxy(blocks, {
      get(target, key) {
        if (key === 'get') reads++;
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const dump = { id: `c${i}`, directory, base: base?.root };
    const stored = await storeMemory(dump, { blocks: counted, volumes, pageNames });
    t.equal((await storeMemory(dump, { blocks, volumes })).root, stored.root);
    t.ok(reads <= 1, 'of its metadata alone');
    await check(t, await assemble(dir, (await volumes.get(stored.root))!, blocks), { 'pages-1.img': pages });
    base = stored;
    pages = changed(pages, 40, i);
  }
});

t.test('after many dumps each is whole, and no image is more than three times its dump', async (t) => {
  const { store, imageOf } = await node(t);
  let pages = noise(2 * 1024 * 1024);
  let last = await store({ 'pages-1.img': pages });
  for (let i = 1; i <= 12; i++) {
    pages = changed(pages, 60, i);
    last = await store({ 'pages-1.img': pages }, { base: last.root });
    t.ok(last.sizeBytes - last.metadataBytes <= 3 * pages.length);
  }
  await check(t, await imageOf(last), { 'pages-1.img': pages });
});

t.test('a base that is absent, or has lost blocks, only shares less', async (t) => {
  const { store, imageOf, volumes, blocks } = await node(t);
  const pages = noise(1024 * 1024);
  const base = await store({ 'pages-1.img': pages });
  const index = (await volumes.get(base.root))!;
  await blocks.remove(index.blockId(index.blockCount - 1));
  const next = await store({ 'pages-1.img': pages }, { id: 'c2', base: base.root });
  t.equal(next.newBytes - next.metadataBytes, BLOCK_BYTES);
  await volumes.remove(base.root);
  const alone = await store({ 'pages-1.img': changed(pages, 1, 1) }, { base: base.root });
  await check(t, await imageOf(alone), { 'pages-1.img': changed(pages, 1, 1) });
});

t.test('a folder with anything but files is refused, and nothing is stored', async (t) => {
  const { dir, store, blocks, volumes } = await node(t);
  const folder = join(dir, 'with-folder');
  mkdirSync(join(folder, 'sub'), { recursive: true });
  await t.rejects(store({}, { directory: folder }), { name: 'NotFlatError', message: /with-folder\/sub/ });
  const link = join(dir, 'with-link');
  mkdirSync(link);
  symlinkSync('/etc/passwd', join(link, 'pages-1.img'));
  await t.rejects(store({}, { directory: link }), { name: 'NotFlatError' });
  t.same(blocks.stats(), { count: 0, bytes: 0 });
  t.same([...volumes.roots()], []);
});

t.test('ended in the middle, it publishes nothing', async (t) => {
  const { dir, store, volumes, blocks } = await node(t);
  const controller = new AbortController();
  const directory = join(dir, 'dump');
  mkdirSync(directory);
  writeFileSync(join(directory, 'pages-1.img'), noise(8 * 1024 * 1024));
  const stops = Object.assign(Object.create(blocks), {
    put: async (id: string, bytes: Buffer) => {
      if (blocks.stats().count > 20) controller.abort();
      return blocks.put(id, bytes);
    },
    has: (id: string) => blocks.has(id),
    sync: () => blocks.sync(),
  });
  await t.rejects(storeMemory({ id: 'c1', directory }, { blocks: stops, volumes }, controller.signal), {
    name: 'AbortError',
  });
  t.same([...volumes.roots()], []);
  t.ok(existsSync(directory));
  await store({ 'pages-1.img': noise(10) });
});
