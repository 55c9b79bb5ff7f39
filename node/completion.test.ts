import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createCompletion } from './completion.ts';
import { memoryBlocks, memoryNeighbours, memoryVolumes, pageBlock, pageVolume, silent } from './twins.ts';

async function setUp(numbers: number[], here: number[], waits = () => false) {
  const blocks = memoryBlocks();
  const volumes = memoryVolumes();
  const { root, encoded } = pageVolume(numbers);
  await volumes.put(root, encoded);
  for (const n of here) await blocks.put(pageBlock(n).id, pageBlock(n).bytes);
  const neighbours = memoryNeighbours(() => Promise.reject(new Error('not asked for')));
  const completion = createCompletion({ blocks, volumes, neighbours, waits, logger: silent });
  return { blocks, root, neighbours, completion };
}

t.test('a followed volume has just its missing blocks fetched, behind all else', async (t) => {
  const { root, neighbours, completion } = await setUp([1, 2, 3, 4], [1, 3]);
  completion.follow(new Set([root]));
  await sleep(20);
  t.same(neighbours.asked, [
    { id: pageBlock(2).id, priority: 'completion' },
    { id: pageBlock(4).id, priority: 'completion' },
  ]);
  completion.stop();
});

t.test('a volume that is no longer in use is no longer completed', async (t) => {
  const numbers = Array.from({ length: 500 }, (_, i) => i);
  const { root, neighbours, completion } = await setUp(numbers, []);
  neighbours.serve = () => sleep(5);
  completion.follow(new Set([root]));
  await sleep(20);
  completion.follow(new Set());
  await sleep(20);
  const asked = neighbours.asked.length;
  t.ok(asked > 0 && asked < numbers.length, `${asked} asked`);
  await sleep(30);
  t.equal(neighbours.asked.length, asked, 'and none since');
});

t.test('while something else needs the links more, nothing new is asked for', async (t) => {
  let isBusy = true;
  const { root, neighbours, completion } = await setUp([1, 2, 3], [1], () => isBusy);
  completion.follow(new Set([root]));
  await sleep(20);
  t.same(neighbours.asked, []);
  isBusy = false;
  await sleep(400);
  t.equal(neighbours.asked.length, 2);
  completion.stop();
});
