/** The simulator on fresh seeds, and the simulator on nodes that are broken on purpose. */
import { availableParallelism } from 'node:os';
import t from 'tap';
import { runAll } from './jobs.ts';
import { runSeed, SimFailure } from './run.ts';
import { SABOTAGES } from './world.ts';

const NODES = 12;
const SEEDS = 200;
/** The sabotage that fewest runs show is shown by one in four: all of these miss it once in 10^12 times. */
const SABOTAGED_SEEDS = 100;

// A run takes a third of a second; all of them on one slow processor, minutes.
t.setTimeout(3_600_000);

t.test('placement and directory stand what is done to them, on fresh seeds', async (t) => {
  const first = Math.floor(Math.random() * 1e9);
  t.comment(`seeds from ${first}`);
  let placed = 0;
  let runs = 0;
  const jobs = { first, count: SEEDS, nodes: [10, 12], jobs: availableParallelism() } as const;
  await runAll(jobs, ({ report }) => {
    runs++;
    placed += report.placed;
  });
  t.equal(runs, SEEDS);
  t.ok(placed > SEEDS, `${placed} blocks placed`);
});

for (const sabotage of SABOTAGES) {
  t.test(`it is found out when ${sabotage}`, async (t) => {
    const first = Math.floor(Math.random() * 1e9);
    t.comment(`seeds from ${first}`);
    for (let seed = first; seed < first + SABOTAGED_SEEDS; seed++) {
      try {
        await runSeed({ seed, nodes: NODES, sabotage });
      } catch (error) {
        if (!(error instanceof SimFailure)) throw error;
        t.match(error.message, `seed ${seed}: `);
        return;
      }
    }
    t.fail(`not found out by the seeds from ${first}`);
  });
}

t.test('a run follows from its seed: the same again, in a thread too, another with another', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  const [one, again, other] = [
    await runSeed({ seed, nodes: NODES }),
    await runSeed({ seed, nodes: NODES }),
    await runSeed({ seed: seed + 1, nodes: NODES }),
  ];
  t.same(again, one, `seed ${seed}`);
  t.notSame({ ...other, seed }, one);
  const jobs = { first: seed, count: 1, nodes: [NODES, NODES], jobs: 1 } as const;
  await runAll(jobs, ({ report }) => t.same(report, one, `seed ${seed} in a thread`));
});
