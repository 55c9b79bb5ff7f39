/** Containers move between nodes with their memory and their files, by every way in. */
import t, { type Test } from 'tap';
import { begin, checkpoint, list, removeContainers, scenarios } from './lib/checkpoints.ts';
import { type Cluster, ensureCluster, eventually, pushImages } from './lib/cluster.ts';
import { keepsConnections } from './lib/connections.ts';
import { descriptors, parts } from './lib/parts.ts';
import { nginx, nodejs, postgres, redis } from './lib/servers.ts';
import { versions } from './lib/versions.ts';
import { counter, execute, hasher, inside, start, terminal, type Workload } from './lib/workloads.ts';

const NODES = ['n1', 'n2', 'n3'] as const;

for (const containerd of versions) {
  t.test(`with containerd ${containerd}`, async (t) => {
    const cluster = await ensureCluster(3, `checkpoints${containerd.replace('.', '')}`, {
      containerd,
      repairs: true,
    });
    t.teardown(() => cluster.do('down'));
    await pushImages(cluster, ['busybox', 'python:v1', 'nodejs:v1', 'postgres', 'redis', 'nginx']);
    await define(t, cluster, containerd === '1.7' ? 'all' : 'what depends on containerd');
  });
}

const WORKLOADS = [counter, hasher(64), terminal, nodejs, postgres];
const MORE_WORKLOADS = [parts, descriptors, redis, nginx];

async function define(t: Test, cluster: Cluster, what: 'all' | 'what depends on containerd'): Promise<void> {
  const scenario = scenarios(t, cluster, NODES);
  for (const workload of what === 'all' ? [...WORKLOADS, ...MORE_WORKLOADS] : WORKLOADS) {
    await scenario(`${workload.name}: restored on another node, and again on a third`, (t) =>
      restored(t, cluster, workload),
    );
  }
  await scenario('a container moves from node to node and back, with all that it writes on the way', (t) =>
    around(t, cluster),
  );
  await scenario('a migration that fails leaves the container running where it was', (t) =>
    stays(t, cluster),
  );
  await scenario('ctr task checkpoint leaves a reference of less than 64 KiB', (t) => small(t, cluster));
  await scenario('nerdctl checkpoint create, nerdctl start --checkpoint on another node', (t) =>
    byNerdctl(t, cluster),
  );
  if (what !== 'all') return;
  await scenario(
    'TCP connections are kept where their address comes along, and closed where it does not',
    (t) => keepsConnections(t, cluster),
  );
  await scenario('a container that has moved often has one writable volume, with all that it wrote', (t) =>
    often(t, cluster),
  );
  await scenario('the node that made a checkpoint is gone: others have it', (t) => sourceGone(t, cluster));
  await scenario(
    'an image is removed everywhere: what a checkpoint needs of it stays as long as the checkpoint',
    (t) => imageGone(t, cluster),
  );
  await scenario('references that are forged or name no checkpoint are refused', (t) => refused(t, cluster));
}

async function restored(t: Test, cluster: Cluster, workload: Workload): Promise<void> {
  const { state } = await begin(cluster, 'web', workload);
  await checkpoint(cluster, 'first', 'web');
  for (const node of ['n2', 'n3']) {
    await cluster.sh(node, 'forage restore first --name web2');
    t.equal(await inside(cluster, node, 'web2', workload.check), state, `all is as it was on ${node}`);
  }
  await cluster.sh('n1', 'nerdctl rm -f web');
}

async function around(t: Test, cluster: Cluster): Promise<void> {
  const { id } = await begin(cluster, 'web', counter);
  let from: string = 'n1';
  let count = 0;
  for (const to of ['n2', 'n3', 'n1']) {
    await execute(cluster, from, id, ['sh', '-c', `echo ${to} >> /way; rm -f /etc/${to}`]);
    await cluster.sh(from, `forage migrate ${id} --to ${to}`);
    t.notMatch(await cluster.sh(from, 'ctr container ls -q'), id, `it is not on ${from} any more`);
    const before = count;
    count = Number(await inside(cluster, to, id, ['cat', '/count']));
    t.ok(count > before, 'it has gone on counting');
    from = to;
  }
  t.equal(await inside(cluster, 'n1', id, ['cat', '/way', '/new']), 'n2\nn3\nn1\nnew\n');
}

async function often(t: Test, cluster: Cluster): Promise<void> {
  let { id } = await begin(cluster, 'web', counter);
  const times = 9;
  for (let n = 1; n <= times; n++) {
    const change = `mkdir -p /moves; touch /moves/${n}; rm -f /moves/${n - 2}`;
    await execute(cluster, 'n1', id, ['sh', '-c', change]);
    const next = `often-${n}`;
    const script = `forage checkpoint create ${id} --name ${next} --stop --no-wait && forage restore ${next}`;
    await cluster.sh('n1', script);
    id = next;
  }
  const last = (await list(cluster)).find((made) => made.id === id)!;
  t.equal(last.volume_roots.length, 1);
  t.equal(await inside(cluster, 'n1', id, ['ls', '/moves']), `${times - 1}\n${times}\n`);
  t.match(await inside(cluster, 'n1', id, counter.check), 'new');
}

async function stays(t: Test, cluster: Cluster): Promise<void> {
  const { id } = await begin(cluster, 'web', counter);
  for (const [node, why] of [
    ['n9', /no node n9/],
    ['n2', /there is a container/],
  ] as const) {
    if (node === 'n2') {
      await cluster.sh('n2', 'nerdctl --snapshotter forage pull -q registry:5000/busybox > /dev/null');
      await cluster.sh(
        'n2',
        `ctr container create --snapshotter forage registry:5000/busybox:latest ${id} true`,
      );
    }
    const { status, stderr } = await cluster.run('n1', ['forage', 'migrate', 'web', '--to', node]);
    t.equal(status, 1);
    t.match(stderr, why);
    const count = Number(await inside(cluster, 'n1', id, ['cat', '/count']));
    await eventually(
      'it counts on',
      async () => Number(await inside(cluster, 'n1', id, ['cat', '/count'])) > count,
    );
  }
}

async function small(t: Test, cluster: Cluster): Promise<void> {
  const { id } = await begin(cluster, 'web', hasher(64));
  await cluster.sh('n1', `ctr task checkpoint --image-path /tmp/dump ${id} && du -sb /tmp/dump > /tmp/size`);
  const bytes = Number.parseInt(await cluster.sh('n1', 'cat /tmp/size; rm -r /tmp/dump'), 10);
  t.ok(bytes < 65536, `${bytes} bytes of 64 MiB`);
  await eventually('a checkpoint was made', async () => (await list(cluster)).length === 1);
  const [made] = await list(cluster);
  t.ok(made!.memory_bytes > 64 << 20);
  t.equal(made!.container, id);
}

async function byNerdctl(t: Test, cluster: Cluster): Promise<void> {
  const { state } = await begin(cluster, 'web', counter);
  await cluster.sh('n1', 'nerdctl checkpoint create web first');
  const folder = '/var/lib/nerdctl/checkpoints/first';
  const archive = await cluster.run('n1', ['sh', '-c', `tar c -C ${folder} . | base64`]);
  await start(cluster, 'n2', 'web', { ...counter, prepare: ['true'] });
  await cluster.sh(
    'n2',
    `nerdctl stop -t 0 web > /dev/null; mkdir -p ${folder} && base64 -d | tar x -C ${folder}`,
    {
      input: archive.stdout,
    },
  );
  await cluster.sh('n2', 'nerdctl start --checkpoint first web');
  const id = (await cluster.sh('n2', 'nerdctl ps -q --no-trunc --filter name=web')).trim();
  t.equal(await inside(cluster, 'n2', id, counter.check), state);
}

async function sourceGone(t: Test, cluster: Cluster): Promise<void> {
  const { state } = await begin(cluster, 'web', hasher(64));
  await checkpoint(cluster, 'first', 'web');
  await cluster.do('kill', 'n1');
  try {
    await cluster.sh('n3', 'forage restore first --name web2');
    t.equal(await inside(cluster, 'n3', 'web2', hasher(64).check), state);
  } finally {
    await cluster.do('start', 'n1');
  }
}

async function imageGone(t: Test, cluster: Cluster): Promise<void> {
  const { state } = await begin(cluster, 'web', counter);
  await checkpoint(cluster, 'first', 'web');
  await removeContainers(cluster, ['n1']);
  for (const node of NODES)
    await cluster.sh(node, 'nerdctl rmi -f registry:5000/busybox > /dev/null 2>&1 || true');
  const isKnown = async () => /busybox/.test(await cluster.sh('n1', 'forage images'));
  if (await isKnown()) await cluster.sh('n1', 'forage images rm registry:5000/busybox');
  t.notOk(await isKnown());
  await cluster.sh('n3', 'forage restore first --name web2');
  t.equal(await inside(cluster, 'n3', 'web2', counter.check), state);
}

async function refused(t: Test, cluster: Cluster): Promise<void> {
  await cluster.sh('n1', 'nerdctl --snapshotter forage pull -q registry:5000/busybox > /dev/null');
  const { status, stderr } = await cluster.run('n1', ['forage', 'restore', 'no-such-checkpoint']);
  t.equal(status, 1);
  t.match(stderr, /no node of the cluster has told of a checkpoint no-such-checkpoint/);
  const odd = await cluster.run('n1', ['forage', 'restore', '../../etc']);
  t.match(odd.stderr, /no checkpoint's id/);
  await cluster.sh('n1', 'mkdir -p /tmp/forged /tmp/b/rootfs /tmp/w');
  await cluster.sh('n1', 'cd /tmp/b && runc spec');
  for (const forged of ['{}', '{"forage":1,"checkpoint":"../../../etc","nonce":"00"}', 'x'.repeat(9000)]) {
    await cluster.sh('n1', 'cat > /tmp/forged/forage-checkpoint.json', { input: forged });
    const argv = ['forage-runc', '--log', '/tmp/forged.log', '--log-format', 'json', 'restore'];
    const paths = ['--image-path', '/tmp/forged', '--work-path', '/tmp/w', '--bundle', '/tmp/b'];
    t.equal((await cluster.run('n1', [...argv, ...paths, 'forged'])).status, 1);
    t.match(await cluster.sh('n1', 'cat /tmp/forged.log; rm /tmp/forged.log'), /is not a reference/);
  }
  await cluster.sh('n1', 'rm -r /tmp/forged /tmp/b /tmp/w');
}
