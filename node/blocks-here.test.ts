import t from 'tap';
import { blocksHere, bytesComing } from './blocks-here.ts';
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
