/** Images come to a node by every client of containerd, into every namespace, and leave nothing behind when they go. */
import type { Test } from 'tap';
import { type Cluster, collectGarbage, eventually, forgetAll, ingested } from './lib/cluster.ts';
import { type ImageJson, layersHeld } from './lib/images.ts';
import { leftovers } from './lib/leftovers.ts';
import { type Bed, onEachContainerd, scenario } from './lib/versions.ts';
import { ctrOf, nerdctl, serveTls, type Way, waysOf } from './lib/ways.ts';

/** Containers on one image at once. */
const MANY = 20;

onEachContainerd('ways', [/a neighbour is gone/], async (t, bed) => {
  const { cluster, containerd } = bed;
  if (containerd === '1.7') await Promise.all(['n1', 'n2'].map((machine) => serveTls(cluster, machine)));
  for (const way of waysOf(containerd)) {
    scenario(t, bed, `an image that one node pulled runs on another: ${way.name}`, (t) =>
      shared(t, bed, way),
    );
  }
  scenario(t, bed, 'images in a containerd namespace of their own, and in two at once', (t) =>
    namespaces(t, bed),
  );
  scenario(t, bed, 'an image that containerd has already is unpacked again, and shared', (t) =>
    unpackedAgain(t, bed),
  );
  scenario(t, bed, 'a container is committed: where it was unpacked, and where it is lazy', (t) =>
    commits(t, bed),
  );
  scenario(t, bed, 'a lazy image is exported once its layers are fetched', (t) => exports(t, bed));
  scenario(t, bed, `${MANY} containers start at once on one lazy image`, (t) => many(t, bed));
  scenario(t, bed, "containerd's tools work on snapshots", (t) => tools(t, bed));
});

/** Runs an image's own trial on n2, and checks that it worked. */
async function works(t: Test, { cluster }: Bed, way: Way, image: ImageJson, namespace?: string, node = 'n2') {
  const { argv, prints } = image.smoke;
  const out = await cluster.sh(node, way.run(image.ref, argv, namespace));
  t.match(out, prints, `${image.name} works on ${node}${namespace ? ` in ${namespace}` : ''}`);
}

async function shared(t: Test, bed: Bed, way: Way): Promise<void> {
  const { cluster, torture, redis } = bed;
  const all = way === nerdctl ? [torture, redis] : [torture];
  for (const { ref } of all) await cluster.sh('n1', way.pull(ref));
  await ingested(cluster, 'n1');
  for (const image of all) {
    await works(t, bed, way, image, undefined, 'n1');
    await works(t, bed, way.lazy ? way : nerdctl, image);
    t.equal(await layersHeld(cluster, 'n2', image), 0, 'no layer was downloaded');
  }
  if (way.lazy) return;
  await forgetAll(cluster, 'n2');
  await works(t, bed, way, torture);
  t.equal(await layersHeld(cluster, 'n2', torture), torture.layers, 'this client downloads all layers');
}

async function namespaces(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  const ctr = ctrOf(bed.containerd);
  await cluster.sh('n1', nerdctl.pull(torture.ref, 'one'));
  await ingested(cluster, 'n1');
  await works(t, bed, ctr, torture, 'one');
  await works(t, bed, nerdctl, torture, 'two');
  for (const namespace of ['one', 'two'])
    t.equal(
      await layersHeld(cluster, 'n2', torture, namespace),
      0,
      `no layer was downloaded into ${namespace}`,
    );

  await cluster.sh('n2', 'ctr -n one image ls -q | xargs ctr -n one image rm --sync');
  t.same((await cluster.volumes('n2')).length, torture.layers, 'the other namespace keeps the volumes');
  await works(t, bed, nerdctl, torture, 'two');
  await works(t, bed, ctr, torture, 'one');
}

async function unpackedAgain(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  await cluster.sh('n1', `nerdctl pull -q registry:5000/${torture.ref}`);
  t.same(await cluster.volumes('n1'), [], 'so far overlayfs has it');
  await works(t, bed, nerdctl, torture, undefined, 'n1');
  await ingested(cluster, 'n1');
  t.equal((await cluster.volumes('n1')).length, torture.layers, 'its layers were made volumes');
  await works(t, bed, nerdctl, torture);
  t.equal(await layersHeld(cluster, 'n2', torture), 0, 'no layer was downloaded');
}

async function commits(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  const change = ['sh', '-c', 'rm /etc/passwd && echo new > /made'];
  const look = "sh -c 'cat /made; ls /etc/passwd || true'";
  await cluster.sh('n1', nerdctl.pull(torture.ref));
  await ingested(cluster, 'n1');
  for (const node of ['n1', 'n2']) {
    const run = nerdctl.run(torture.ref, change).replace('--rm', '--name changed');
    const committed = await cluster.sh(
      node,
      `${run} && nerdctl --snapshotter forage commit changed made:v1 > /dev/null 2>&1
       nerdctl --snapshotter forage run --rm --net none made:v1 ${look} 2> /dev/null`,
    );
    t.equal(committed, 'new\n', `on ${node} the image has the change`);
    await ingested(cluster, node);
    t.equal((await cluster.volumes(node)).length, torture.layers + 1, `on ${node} it has a volume more`);
  }
}

async function exports(t: Test, bed: Bed): Promise<void> {
  const { cluster, torture } = bed;
  const image = `registry:5000/${torture.ref}`;
  await cluster.sh('n1', nerdctl.pull(torture.ref));
  await ingested(cluster, 'n1');
  await works(t, bed, nerdctl, torture);
  const { status, stderr } = await cluster.run('n2', ['ctr', 'image', 'export', '/run/image.tar', image]);
  t.not(status, 0, 'ctr does not export what is not there');
  t.match(stderr, /sha256:[0-9a-f]{64}: not found/, 'and names it');
  await cluster.sh('n2', `nerdctl --snapshotter forage save -o /run/image.tar ${image} && rm /run/image.tar`);
  t.equal(
    await layersHeld(cluster, 'n2', torture),
    torture.layers,
    'nerdctl save fetches the layers by itself',
  );
}

async function many(t: Test, { cluster, torture }: Bed): Promise<void> {
  await cluster.sh('n1', nerdctl.pull(torture.ref));
  await ingested(cluster, 'n1');
  const run = (i: number) =>
    nerdctl
      .run(torture.ref, ['sh', '-c', 'ls -lR / > /dev/null; sleep inf'])
      .replace('--rm', `-d --name many-${i}`);
  const results = await Promise.all(
    Array.from({ length: MANY }, (_, i) => cluster.run('n2', ['sh', '-c', run(i)])),
  );
  t.same(
    results.filter(({ status }) => status !== 0),
    [],
    'all start',
  );
  t.equal((await cluster.sh('n2', 'nerdctl ps -q')).trim().split('\n').length, MANY, 'all run');
  await cluster.sh('n2', 'nerdctl ps -aq | xargs nerdctl rm -f');
  await collectGarbage(cluster, 'n2');
  await eventually('the volumes are unmounted', async () => (await mounts(cluster)).length === 0);
}

async function mounts(cluster: Cluster): Promise<string[]> {
  return (await leftovers(cluster, 'n2')).filter((line) => line.startsWith('mounted'));
}

async function tools(t: Test, { cluster, torture }: Bed): Promise<void> {
  await cluster.sh('n1', nerdctl.pull(torture.ref));
  await ingested(cluster, 'n1');
  await cluster.sh('n2', nerdctl.run(torture.ref, ['sleep', 'inf']).replace('--rm', '-d --name used'));
  await cluster.sh('n2', 'nerdctl exec used sh -c "echo new > /made"');
  const ctr = (words: string) => cluster.sh('n2', `ctr snapshots --snapshotter forage ${words}`);

  const rows = (await ctr('ls')).trim().split('\n').slice(1);
  t.equal(rows.filter((row) => row.includes('Committed')).length, torture.layers, 'ls: each layer');
  const key = rows.find((row) => row.includes('Active'))?.split(' ')[0] ?? 'none';
  t.equal((await ctr('usage')).trim().split('\n').length, 1 + torture.layers + 1, 'usage: each snapshot');
  const depth = torture.layers;
  t.match(
    (await ctr('tree')).split('\n')[depth],
    new RegExp(`^ {${2 * depth}}\\\\_ ${key}`),
    'tree: the container is on top',
  );
  t.match(JSON.parse(await ctr(`info ${key}`)), { Kind: 'Active', Name: key }, 'info');
  t.match(await ctr(`diff ${key} | tar tz`), /^made$/m, 'diff: what the container made');

  const mounted = `eval $(ctr snapshots --snapshotter forage mounts /mnt ${key}) && cat /mnt/made; umount /mnt`;
  t.equal(await cluster.sh('n2', mounted), 'new\n', 'mounts: what is printed can be mounted');
  const image = `registry:5000/${torture.ref}`;
  const viewed = await cluster.sh(
    'n2',
    `mkdir -p /mnt/image && ctr image mount --snapshotter forage ${image} /mnt/image > /dev/null && ls /mnt/image
     ctr image unmount --snapshotter forage --rm /mnt/image > /dev/null`,
  );
  t.match(viewed, /^modes$/m, 'ctr image mount');

  const nerd = (words: string) => cluster.sh('n2', `nerdctl --snapshotter forage ${words}`);
  t.match(await nerd('ps -s'), /KiB \(virtual [0-9.]+ MiB\)/, 'nerdctl ps -s: its size');
  t.match(await nerd('image ls'), /torture .* [0-9.]+MB/, 'nerdctl image ls: its size');
  t.match(await nerd('diff used'), /^A \/made$/m, 'nerdctl diff');
  t.match(
    await cluster.sh('n2', `ctr image check --snapshotter forage name==${image}`),
    /true$/m,
    'ctr image check: unpacked',
  );
  await nerd('system prune --all --force 2> /dev/null');
  t.equal(await nerd('exec used cat /made'), 'new\n', 'a prune takes nothing that is used');
}
