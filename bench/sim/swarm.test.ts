/** A small swarm in virtual time: the real tasks of eight nodes, and one that has the image. */
import t from 'tap';
import { runSwarm, type SwarmOptions } from './swarm-run.ts';

const SMALL = {
  nodes: 8,
  imageBytes: 20e6,
  bitsPerSecond: 1e9,
  latencyMs: 0.2,
  replicas: 2,
} satisfies Omit<SwarmOptions, 'seed'>;

t.test('every node gets every block, most of them from each other', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  const run = await runSwarm({ ...SMALL, seed });
  t.comment(`seed ${seed}: ${run.seconds} s, ideally ${run.idealSeconds} s; ${run.seedCopies} copies`);
  t.equal(run.whole, SMALL.nodes, `seed ${seed}`);
  t.ok(run.seedCopies >= 1 && run.seedCopies < 3, `the seed sends ${run.seedCopies} copies`);
  t.ok(run.seconds > (SMALL.imageBytes * 8) / SMALL.bitsPerSecond, 'no faster than its links');
});

t.test('a run follows from its seed', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  const small = { ...SMALL, imageBytes: 5e6, seed };
  const [one, again, other] = [
    await runSwarm(small),
    await runSwarm(small),
    await runSwarm({ ...small, seed: seed + 1 }),
  ];
  t.same(again, one, `seed ${seed}`);
  t.notSame(other, one);
});
