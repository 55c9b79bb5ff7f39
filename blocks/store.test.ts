import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { open, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { blockIdOf } from './block.ts';
import { blockStoreConformance } from './store.conformance.ts';
import { openBlockStore, writeOnce } from './store.ts';
import { PAGE_BYTES } from './types.ts';

async function flipBitOf(path: string, bit: number): Promise<void> {
  const bytes = await readFile(path);
  bytes[bit >> 3]! ^= 1 << (bit & 7);
  await writeFile(path, bytes);
}

blockStoreConformance(t, async (t: Test) => {
  const told: Error[] = [];
  const store = await openBlockStore(t.testdir(), { onCorrupt: (error) => told.push(error) });
  return { store, told, flipBit: (id, bit) => flipBitOf(store.path(id), bit) };
});

const bytes = randomBytes(5 * PAGE_BYTES);
const id = blockIdOf(bytes);

t.test('a name that is no sha256 never becomes a path', async (t) => {
  const store = await openBlockStore(t.testdir());
  for (const name of ['../../etc/passwd', id.toUpperCase(), id.slice(1), `${id}0`, '']) {
    t.throws(() => store.path(name), TypeError);
    await t.rejects(store.put(name, bytes), TypeError);
  }
});

t.test('a put that fails leaves nothing behind', async (t) => {
  const dir = t.testdir();
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
  let room = 2 * PAGE_BYTES;
  const store = await openBlockStore(dir, {
    async write(fd: number, part: Uint8Array, position: number) {
      if (room === 0) throw full;
      const length = Math.min(room, part.length);
      room -= length;
      return writeOnce(fd, part.subarray(0, length), position);
    },
  });
  await t.rejects(store.put(id, bytes), { code: 'ENOSPC' });
  t.equal(store.has(id), false);
  t.same(readdirSync(join(dir, 'tmp')), []);
  t.same(store.stats(), { count: 0, bytes: 0 });
  room = Number.MAX_SAFE_INTEGER;
  await store.put(id, bytes);
  t.same(await store.get(id), bytes, 'and the next one succeeds');
});

t.test('a block that changes on disk after a good read is refused at the next', async (t) => {
  const store = await openBlockStore(t.testdir());
  await store.put(id, bytes);
  await sleep(1100); // until a good read is remembered
  t.same(await store.get(id), bytes);
  t.same(await store.get(id), bytes, 'without a hash');
  await flipBitOf(store.path(id), 12_345);
  t.equal(await store.get(id), undefined);
  t.equal(store.has(id), false);
});

t.test('short writes are continued', async (t) => {
  const store = await openBlockStore(t.testdir(), {
    write: (fd, part, position) => writeOnce(fd, part.subarray(0, 1000), position),
  });
  await store.put(id, bytes);
  t.same(await store.get(id), bytes);
});

t.test(
  'leftovers of a crash are swept by the owner, not by a guest; totals are right after a restart',
  async (t) => {
    const dir = t.testdir();
    const first = await openBlockStore(dir);
    await first.put(id, bytes);
    const leftover = join(dir, 'tmp', 'torn');
    await writeFile(leftover, 'half a bl');
    await openBlockStore(dir, { guest: true });
    t.equal(existsSync(leftover), true);
    const again = await openBlockStore(dir);
    t.equal(existsSync(leftover), false);
    t.same(again.stats(), { count: 1, bytes: bytes.length });
  },
);

t.test('a block torn by a power loss is absent, and put heals it', async (t) => {
  const told: Error[] = [];
  const store = await openBlockStore(t.testdir(), { onCorrupt: (error) => told.push(error) });
  for (const length of [0, 100, PAGE_BYTES, 200 * PAGE_BYTES]) {
    await store.put(id, bytes);
    await truncate(store.path(id), length);
    t.equal(await store.get(id), undefined, `${length} bytes`);
    t.equal(store.has(id), false);
    await store.put(id, bytes);
    await truncate(store.path(id), length);
    await store.put(id, bytes);
    t.same(await store.get(id), bytes);
  }
  t.equal(told.length, 4);
});

t.test('two stores on one folder put the same blocks at once', async (t) => {
  const dir = t.testdir();
  const stores = [await openBlockStore(dir), await openBlockStore(dir, { guest: true })];
  const blocks = Array.from({ length: 50 }, () => randomBytes(PAGE_BYTES));
  await Promise.all(stores.flatMap((store) => blocks.map((block) => store.put(blockIdOf(block), block))));
  for (const block of blocks) t.same(await stores[0]!.get(blockIdOf(block)), block);
  t.same((await openBlockStore(dir)).stats(), { count: 50, bytes: 50 * PAGE_BYTES });
});

t.test('stray files are no blocks', async (t) => {
  const dir = t.testdir();
  const store = await openBlockStore(dir);
  await (await open(join(dir, 'ab', 'README'), 'w')).close();
  await (await open(join(dir, 'ab', id.replace(/^../, 'cd')), 'w')).close();
  t.same([...store.ids()], []);
});
