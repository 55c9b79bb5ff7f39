/** The same tests on each version of containerd that forage works with, each on two nodes of its own. */
import t, { type Test } from 'tap';
import { type Cluster, type ClusterOptions, ensureCluster, forgetAll } from './cluster.ts';
import { type ImageJson, images } from './images.ts';
import { nothingLeft } from './leftovers.ts';

export interface Bed {
  cluster: Cluster;
  containerd: NonNullable<ClusterOptions['containerd']>;
  /** Small, of many odd layers; has the commands of busybox. */
  torture: ImageJson;
  /** Larger: a real service. */
  redis: ImageJson;
}

/** FORAGE_TEST_CONTAINERD: only this version. */
export const versions = (['1.7', '2.1'] as const).filter(
  (version) => (process.env.FORAGE_TEST_CONTAINERD ?? version) === version,
);

/** forage is restarted between tests. */
const RESTARTS = [/the node process is away/, /a neighbour is gone/];

/** The cluster is removed when its tests are over. Logs that tell of a fault on n1 or n2 and match none of `expected` fail. */
export function onEachContainerd(name: string, expected: RegExp[], define: (t: Test, bed: Bed) => unknown) {
  for (const containerd of versions) {
    t.test(`with containerd ${containerd}`, async (t) => {
      const cluster = await ensureCluster(2, `${name}${containerd.replace('.', '')}`, { containerd });
      t.teardown(() => cluster.do('down'));
      const [torture, redis] = (await images(cluster.name, 'torture', 'redis')) as [ImageJson, ImageJson];
      await define(t, { cluster, containerd, torture, redis });
      t.test('forage has logged no fault that was not to be expected', async (t) => {
        for (const machine of ['n1', 'n2']) {
          const lines = (await faults(cluster, machine)).filter(
            (line) => ![...RESTARTS, ...expected].some((pattern) => pattern.test(line)),
          );
          t.same(lines, [], machine);
        }
      });
    });
  }
}

/** A test after which all images are removed, and nothing of them may be left. */
export function scenario(t: Test, { cluster }: Bed, name: string, run: (t: Test) => Promise<void>): void {
  t.test(name, async (t) => {
    try {
      await run(t);
    } finally {
      await forgetAll(cluster, 'n1', 'n2');
      for (const machine of ['n1', 'n2']) {
        t.same(await nothingLeft(cluster, machine), [], `nothing is left of the images on ${machine}`);
      }
    }
  });
}

async function faults(cluster: Cluster, machine: string): Promise<string[]> {
  const journal = await cluster.sh(machine, "journalctl -q -u 'forage*' -p warning -o cat");
  return journal.split('\n').filter((line) => line !== '');
}
