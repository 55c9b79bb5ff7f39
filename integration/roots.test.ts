/** What a layer becomes depends on the layer alone: nodes that know nothing of each other make the same volume of it. */
import t from 'tap';
import { answersContainerd, ensureCluster, forgetAll, ingested } from './lib/cluster.ts';
import { images } from './lib/images.ts';

const cluster = await ensureCluster(3, process.env.FORAGE_TEST_CLUSTER ?? 'test');
// A hundred layers of one kind say no more than another image's twenty.
const all = (await images(cluster.name)).filter(({ name, refused }) => !refused && name !== 'many-layers');

/** Pulls every image on one node, and answers the root that each layer got there. */
async function rootsOn(node: string): Promise<Map<string, string>> {
  for (const { ref } of all)
    await cluster.sh(node, `nerdctl --snapshotter forage pull --quiet registry:5000/${ref}`);
  await ingested(cluster, node);
  return new Map((await cluster.volumes(node)).map(({ chain_id, root }) => [chain_id, root]));
}

t.test(
  'two nodes that pull at different times make the same volumes of all layers of all images',
  async (t) => {
    await forgetAll(cluster, 'n1', 'n2', 'n3');
    t.teardown(async () => {
      await cluster.do('heal');
      await cluster.sh('n3', 'systemctl start forage');
    });
    // n3 does not even hear of the layers until it is cut off from those who know them.
    await cluster.sh('n3', 'systemctl stop forage');
    const first = await rootsOn('n1');
    await cluster.do('cut', 'n1', 'n2');
    await cluster.sh('n3', 'systemctl start forage');
    await answersContainerd(cluster, 'n3');
    const second = await rootsOn('n3');
    t.ok(second.size > all.length, `${second.size} layers`);
    t.same(second, first);
    t.equal((await cluster.status('n3')).fetched_bytes, 0, 'and neither had them from the other');
  },
);
