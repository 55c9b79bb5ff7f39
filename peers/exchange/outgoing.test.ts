import { randomBytes } from 'node:crypto';
import t from 'tap';
import { blockIdOf } from '../../blocks/block.ts';
import { memoryBlockStore } from '../../blocks/memory.ts';
import { readInOrder, readOutgoing } from './outgoing.ts';

async function storeOf(count: number) {
  const store = memoryBlockStore();
  const blocks = Array.from({ length: count }, () => randomBytes(65_536));
  const ids = blocks.map(blockIdOf);
  for (const [i, bytes] of blocks.entries()) await store.put(ids[i]!, bytes);
  return { store, blocks, ids };
}

t.test('blocks come in order, and a buffer that was released is used again', async (t) => {
  const { store, blocks, ids } = await storeOf(50);
  const used = new Set<ArrayBufferLike>();
  const came: Buffer[] = [];
  for await (const { bytes, release } of readInOrder(store, ids)) {
    came.push(Buffer.from(bytes!));
    used.add(bytes!.buffer);
    release();
  }
  t.same(came, blocks);
  t.ok(used.size < 10, `${used.size} buffers`);
});

t.test('a block that is not released keeps its bytes; one that is released twice is lent once', async (t) => {
  const { store, blocks, ids } = await storeOf(3);
  const first = await readOutgoing(store, ids[0]!);
  first.release();
  first.release();
  const [second, third] = [await readOutgoing(store, ids[1]!), await readOutgoing(store, ids[2]!)];
  t.same([second.bytes, third.bytes], blocks.slice(1));
});

t.test(
  'what was read ahead is released when the reader leaves, and a block that is not here is none',
  async (t) => {
    const { store, ids } = await storeOf(8);
    const absent = blockIdOf(randomBytes(10));
    for (let i = 0; i < 100; i++) {
      for await (const { bytes, release } of readInOrder(store, [absent, ...ids])) {
        t.equal(bytes, undefined) || t.bailout();
        release();
        break;
      }
    }
    let count = 0;
    for await (const { bytes, release } of readInOrder(store, ids)) {
      if (bytes) count++;
      release();
    }
    t.equal(count, ids.length);
  },
);
