/** The simulator on fresh seeds, and the simulator on nodes that are broken on purpose. */
import t from 'tap';
import { runSeed, SimFailure } from './run.ts';
import { SABOTAGES } from './world.ts';

const NODES = 12;

t.test('placement stands what is done to it, on fresh seeds', async (t) => {
  const first = Math.floor(Math.random() * 1e9);
  t.comment(`seeds from ${first}`);
  for (let seed = first; seed < first + 12; seed++) {
    const report = await runSeed({ seed, nodes: NODES });
    t.ok(report.placed > 0, `seed ${seed}: ${report.placed} blocks placed`);
  }
});

for (const sabotage of SABOTAGES) {
  t.test(`it is found out within a few seeds when ${sabotage}`, async (t) => {
    const first = Math.floor(Math.random() * 1e9);
    t.comment(`seeds from ${first}`);
    for (let seed = first; seed < first + 5; seed++) {
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

t.test('a run follows from its seed: the same again, another with another', async (t) => {
  const seed = Math.floor(Math.random() * 1e9);
  const [one, again, other] = [
    await runSeed({ seed, nodes: NODES }),
    await runSeed({ seed, nodes: NODES }),
    await runSeed({ seed: seed + 1, nodes: NODES }),
  ];
  t.same(again, one, `seed ${seed}`);
  t.notSame({ ...other, seed }, one);
});
