import t from 'tap';
import { createDemand } from './demand.ts';
import { memoryNeighbours, memoryVolumes, pageBlock, pageVolume } from './twins.ts';

const { root: ROOT } = pageVolume(Array.from({ length: 40 }, (_, i) => i));
const numbers = Array.from({ length: 40 }, (_, i) => i);

async function setUp() {
  const volumes = memoryVolumes();
  const { root, encoded } = pageVolume(numbers);
  await volumes.put(root, encoded);
  const neighbours = memoryNeighbours(() => Promise.reject(new Error('not asked for')));
  const demand = createDemand(volumes, neighbours);
  const bring = (n: number) => demand.bring(root, pageBlock(n).id, new AbortController().signal);
  return { neighbours, demand, bring };
}

t.test('scattered demands fetch nothing else', async (t) => {
  const { neighbours, demand, bring } = await setUp();
  for (const n of [3, 30, 11]) await bring(n);
  t.same(
    neighbours.asked.map(({ priority }) => priority),
    ['demand', 'demand', 'demand'],
  );
  t.equal(demand.total(), 3);
  t.equal(demand.waiting(), 0);
});

t.test('sequential demands have the blocks behind them prefetched', async (t) => {
  const { neighbours, bring } = await setUp();
  await bring(3);
  await bring(4);
  t.same(neighbours.asked.slice(2), [
    { id: pageBlock(5).id, priority: 'prefetch' },
    { id: pageBlock(6).id, priority: 'prefetch' },
  ]);
});

t.test('a failed prefetch disturbs nobody, a failed demand rejects', async (t) => {
  const { neighbours, demand, bring } = await setUp();
  await bring(3);
  neighbours.serve = async (id) => {
    if (id !== pageBlock(4).id) throw new Error('nobody has it');
  };
  await bring(4);
  await t.rejects(bring(20), { message: 'nobody has it' });
  t.equal(demand.waiting(), 0);
});

t.test('what waits for an abandoned volume is given up, and nothing else', async (t) => {
  const { neighbours, demand, bring } = await setUp();
  const asked: AbortSignal[] = [];
  neighbours.want = (_id, _priority, signal) =>
    new Promise((_resolve, reject) => {
      asked.push(signal!);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const waits = bring(3);
  demand.abandon('f'.repeat(64));
  t.equal(asked[0]?.aborted, false);
  demand.abandon(ROOT);
  await t.rejects(waits, { message: 'nobody uses the volume any longer' });
  t.equal(demand.waiting(), 0);
});
