/** What every `BlockStore` does: run on the memory twin and on the disk. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import { blockIdOf, CorruptBlockError, MAX_BLOCK_BYTES } from './block.ts';
import { type BlockStore, PAGE_BYTES } from './types.ts';

/** A store and the hands to hurt it. */
export interface Subject {
  store: BlockStore;
  /** The corrupt blocks that the store has told of. */
  told: Error[];
  flipBit(id: string, bit: number): Promise<void>;
}

function block(pages: number): { id: string; bytes: Buffer } {
  const bytes = randomBytes(pages * PAGE_BYTES);
  return { id: blockIdOf(bytes), bytes };
}

export function blockStoreConformance(t: Test, make: (t: Test) => Promise<Subject>): void {
  t.test('a block that was put is there, under its hash', async (t) => {
    const { store } = await make(t);
    const { id, bytes } = block(3);
    t.equal(store.has(id), false);
    t.equal(await store.get(id), undefined);
    await store.put(id, bytes);
    await store.sync();
    t.equal(store.has(id), true);
    t.same(await store.get(id), bytes);
    t.same([...store.ids()], [id]);
  });

  t.test('a block is read into the buffer that is given for it', async (t) => {
    const { store } = await make(t);
    const { id, bytes } = block(3);
    await store.put(id, bytes);
    const room = Buffer.alloc(bytes.length + 10);
    t.same(await store.get(id, () => room), bytes);
    t.same(room.subarray(0, bytes.length), bytes);
  });

  t.test('put and remove are idempotent, also at the same time, and the totals follow', async (t) => {
    const { store } = await make(t);
    const blocks = [block(1), block(2), block(128)];
    await Promise.all([...blocks, ...blocks].map(({ id, bytes }) => store.put(id, bytes)));
    await store.put(blocks[0]!.id, blocks[0]!.bytes);
    t.same(store.stats(), { count: 3, bytes: 131 * PAGE_BYTES });
    await Promise.all([store.remove(blocks[1]!.id), store.remove(blocks[2]!.id)]);
    await store.remove(blocks[1]!.id);
    t.same(store.stats(), { count: 1, bytes: PAGE_BYTES });
    t.same([...store.ids()], [blocks[0]!.id]);
  });

  t.test('bytes that are not what their name says are refused', async (t) => {
    const { store } = await make(t);
    const { id, bytes } = block(1);
    const refused = [
      Buffer.from(bytes).fill(7, 100, 101),
      bytes.subarray(0, 100),
      Buffer.alloc(0),
      Buffer.alloc(MAX_BLOCK_BYTES + PAGE_BYTES),
    ];
    for (const wrong of refused) await t.rejects(store.put(id, wrong), CorruptBlockError);
    await t.rejects(
      store.put(blockIdOf(refused[3]!), refused[3]!),
      CorruptBlockError,
      'longer than any block',
    );
    t.equal(store.has(id), false);
    t.same(store.stats(), { count: 0, bytes: 0 });
  });

  t.test(
    'a block with a flipped bit is never delivered: it is removed, told of, and can be put again',
    async (t) => {
      const { store, told, flipBit } = await make(t);
      const { id, bytes } = block(2);
      await store.put(id, bytes);
      await flipBit(id, 12_345);
      t.equal(await store.get(id), undefined);
      t.equal(store.has(id), false);
      t.same(store.stats(), { count: 0, bytes: 0 });
      t.equal(told.length, 1);
      t.match(told[0], { name: 'CorruptBlockError', id });
      await store.put(id, bytes);
      t.same(await store.get(id), bytes);
    },
  );

  t.test('put heals: a corrupt block is replaced by the right one, without a get in between', async (t) => {
    const { store, flipBit } = await make(t);
    const { id, bytes } = block(2);
    await store.put(id, bytes);
    await flipBit(id, 3);
    await store.put(id, bytes);
    t.same(await store.get(id), bytes);
    t.same(store.stats(), { count: 1, bytes: bytes.length });
  });

  t.test('what get hands out is a copy', async (t) => {
    const { store } = await make(t);
    const { id, bytes } = block(1);
    await store.put(id, bytes);
    (await store.get(id))!.fill(0);
    t.same(await store.get(id), bytes);
  });
}
