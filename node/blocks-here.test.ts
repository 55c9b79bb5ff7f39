import { utimes } from 'node:fs/promises';
import t from 'tap';
import { openBlockStore } from '../blocks/store.ts';
import { scratch } from '../blocks/testing.ts';
import { blocksHere, bytesBefore, bytesComing } from './blocks-here.ts';
import { memoryBlocks, pageBlock, pageVolume } from './twins.ts';

t.test('what is here of a volume is told once a block, also while it comes', async (t) => {
  const blocks = memoryBlocks();
  const { index } = pageVolume([1, 2, 1, 3]);
  const come = async (n: number) => {
    const { id, bytes } = pageBlock(n);
    await blocks.put(id, bytes);
    return bytes.length;
  };
  const coming = bytesComing(index, blocks);
  t.equal(await coming(), 0);
  const pageBytes = await come(1);
  t.equal(await coming(), pageBytes);
  t.same(blocksHere(index, blocks), { distinct: 3, count: 1, bytes: pageBytes });
  await come(2);
  t.equal(await coming(), 2 * pageBytes);
  await come(3);
  t.equal(await coming(), 3 * pageBytes);
  t.equal(await coming(), 3 * pageBytes);
});

t.test('what was here before a time is told by when it came, once a block', async (t) => {
  const blocks = await openBlockStore(scratch(t));
  const { index } = pageVolume([1, 2, 1, 3]);
  const [early, late] = [pageBlock(1), pageBlock(2)];
  for (const { id, bytes } of [early, late]) await blocks.put(id, bytes);
  await utimes(blocks.path(early.id), 1000, 1000);
  await utimes(blocks.path(late.id), 3000, 3000);
  t.equal(await bytesBefore(index, blocks, 2_000_000), early.bytes.length);
});
