import { randomBytes } from 'node:crypto';
import t from 'tap';
import { blockIdOf, MAX_BLOCK_BYTES } from '../blocks/block.ts';
import { digestOf } from '../blocks/digest.ts';
import { loadObject, storeObject } from './image-refs-object.ts';
import { memoryBlocks } from './twins.ts';

const mediaType = 'application/vnd.oci.image.config.v1+json';
const { signal } = new AbortController();
const noWant = async () => {};

t.test('an object of any size comes back from its blocks', async (t) => {
  for (const size of [1, 4095, 4096, 4097, MAX_BLOCK_BYTES, MAX_BLOCK_BYTES + 1, 3 * MAX_BLOCK_BYTES]) {
    const blocks = memoryBlocks();
    const bytes = randomBytes(size);
    const object = await storeObject(blocks, { digest: digestOf(bytes), mediaType }, bytes);
    t.equal(object.blocks.length, Math.ceil(size / MAX_BLOCK_BYTES), `${size} bytes`);
    t.ok((await loadObject(object, blocks, noWant, signal)).equals(bytes), `${size} bytes`);
  }
});

t.test('the same object has the same blocks everywhere, and is put once', async (t) => {
  const bytes = randomBytes(5000);
  const descriptor = { digest: digestOf(bytes), mediaType };
  const blocks = memoryBlocks();
  const first = await storeObject(blocks, descriptor, bytes);
  const put = () => Promise.reject(new Error('put twice'));
  t.same(await storeObject({ has: (id) => blocks.has(id), put }, descriptor, bytes), first);
  t.same(await storeObject(memoryBlocks(), descriptor, bytes), first);
});

t.test('blocks that are not here are wanted on demand; what cannot be had is the error', async (t) => {
  const [here, there] = [memoryBlocks(), memoryBlocks()];
  const bytes = randomBytes(MAX_BLOCK_BYTES + 5);
  const object = await storeObject(there, { digest: digestOf(bytes), mediaType }, bytes);
  const asked: string[] = [];
  const fetch = async (id: string, priority: string) => {
    asked.push(`${priority} ${id}`);
    await here.put(id, (await there.get(id))!);
  };
  t.ok((await loadObject(object, here, fetch, signal)).equals(bytes));
  t.same(
    asked,
    object.blocks.map((id) => `demand ${id}`),
  );
  const away = () => Promise.reject(new Error('nobody has it'));
  await t.rejects(loadObject(object, here, away, signal), /nobody has it/);
});

t.test('blocks that are not the object are refused', async (t) => {
  const blocks = memoryBlocks();
  const bytes = randomBytes(5000);
  const object = await storeObject(blocks, { digest: digestOf(bytes), mediaType }, bytes);
  const page = Buffer.alloc(4096, 7);
  await blocks.put(blockIdOf(page), page);
  const WRONG = { name: 'WrongObjectError' };
  const load = (more: object) => loadObject({ ...object, ...more }, blocks, noWant, signal);
  await t.rejects(load({ sizeBytes: 4999 }), WRONG, 'cut short');
  await t.rejects(load({ sizeBytes: 8193 }), WRONG, 'longer than its blocks');
  await t.rejects(load({ digest: digestOf(page) }), WRONG, 'another object');
  await t.rejects(load({ blocks: [blockIdOf(page)] }), WRONG, 'another block');
  const many = Array(3).fill(blockIdOf(page));
  await t.rejects(
    loadObject({ ...object, blocks: many }, blocks, () => Promise.reject(new Error('asked')), signal),
    WRONG,
    'more blocks than it can have: refused before any is fetched',
  );
});
