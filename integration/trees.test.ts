/** The files that a container sees with forage are those that it sees with overlayfs, whichever image it is. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Cluster, ensureCluster, forgetAll, ingested } from './lib/cluster.ts';
import { type ImageJson, images, layersHeld } from './lib/images.ts';
import { layersOfLayout, undescribedDirectories } from './lib/layer-dirs.ts';
import type { TreeEntry } from './lib/tree.ts';
import { diffTrees, parseTree } from './lib/tree-diff.ts';

/** Where the modules that `tree.ts` needs are, on a node. */
const INSTALLED = '/usr/lib/forage';
const treeTool = readFileSync(join(import.meta.dirname, 'lib/tree.ts'));
/** A difference in the time of many directories should not hide all others. */
const SHOWN = 20;

const cluster: Cluster = await ensureCluster(3, process.env.FORAGE_TEST_CLUSTER ?? 'test');
// One that other tests gave volumes to would not unpack.
await forgetAll(cluster, 'n1', 'n2', 'n3');
// Names of images to try only these.
const all = await images(cluster.name, ...(process.env.FORAGE_TEST_IMAGES?.split(' ') ?? []));

const pull = (node: string, snapshotter: string, { ref }: ImageJson) =>
  cluster.run(node, ['nerdctl', '--snapshotter', snapshotter, 'pull', '--quiet', `registry:5000/${ref}`]);

/** Frees the node of an image and of what it took, so that no test finds what another one left. */
async function remove(node: string, { ref }: ImageJson): Promise<void> {
  await cluster.run(node, ['ctr', 'image', 'rm', '--sync', `registry:5000/${ref}`]);
}

/** The tree of an image on a node, as a container would see it: a read-only snapshot upon its layers. */
async function treeOn(node: string, snapshotter: string, { ref, name }: ImageJson): Promise<TreeEntry[]> {
  const mountpoint = `/mnt/tree-${name.replace(':', '-')}-${snapshotter}`;
  const script = `
    ctr image mount --snapshotter ${snapshotter} registry:5000/${ref} ${mountpoint} >&2
    cd ${INSTALLED}
    node_modules/node/bin/node --input-type=module-typescript - ${mountpoint}`;
  const cleanup = `
    umount ${mountpoint}; rmdir ${mountpoint}
    ctr snapshot --snapshotter ${snapshotter} rm ${mountpoint}`;
  await cluster.sh(node, `mkdir -p ${mountpoint}`);
  try {
    return parseTree(await cluster.sh(node, script, { input: treeTool }));
  } finally {
    await cluster.run(node, ['sh', '-c', cleanup]);
  }
}

function equalTrees(
  t: Test,
  what: string,
  left: TreeEntry[],
  right: TreeEntry[],
  anyMtime: Set<string>,
): void {
  const differences = diffTrees(left, right, { anyMtime });
  t.equal(differences.length, 0, what, { differences: differences.slice(0, SHOWN) });
}

for (const image of all.filter(({ refused }) => !refused)) {
  t.test(
    `the tree of ${image.name} is overlayfs's, where it was unpacked and where it is lazy`,
    async (t) => {
      t.teardown(() => Promise.all(['n1', 'n2', 'n3'].map((node) => remove(node, image))));
      const anyMtime = await undescribedDirectories(layersOfLayout(image.path));
      const [plain, first] = await Promise.all([pull('n3', 'overlayfs', image), pull('n1', 'forage', image)]);
      t.equal(plain.status, 0, plain.stderr);
      t.equal(first.status, 0, first.stderr);
      await ingested(cluster, 'n1');
      const lazy = await pull('n2', 'forage', image);
      t.equal(lazy.status, 0, lazy.stderr);

      const truth = await treeOn('n3', 'overlayfs', image);
      equalTrees(t, 'where it was unpacked', truth, await treeOn('n1', 'forage', image), anyMtime);
      equalTrees(t, 'where it is lazy', truth, await treeOn('n2', 'forage', image), anyMtime);
      t.equal(await layersHeld(cluster, 'n2', image), 0, 'no layer was downloaded');
    },
  );
}

for (const image of all.filter(({ refused }) => refused)) {
  t.test(`${image.name} is refused as it is with overlayfs: ${image.refused}`, async (t) => {
    t.teardown(() => Promise.all(['n1', 'n3'].map((node) => remove(node, image))));
    t.not((await pull('n3', 'overlayfs', image)).status, 0, 'overlayfs');
    t.not((await pull('n1', 'forage', image)).status, 0, 'forage');
  });
}
