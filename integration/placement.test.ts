/** Five nodes that keep every block twice: what is stored where, and what is left when nodes go, are cut off, or are not to be trusted. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { authorityOf, ensureCluster, eventually, ingested, issuedTo } from './lib/cluster.ts';
import { archive, images } from './lib/images.ts';
import { dropCaches, removeContainer, sumIn, sumOnce } from './lib/reader.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const REPLICAS = 2;
/** Quick, and lean: a node keeps what it owns and what its containers use. */
const LEAN = `grace_seconds = 20
[cache]
idle_seconds = 0
repair_bytes_per_second = 200000000
`;
const CLI = fileURLToPath(new URL('../cli/main.ts', import.meta.url));

const name = `${process.env.FORAGE_TEST_CLUSTER ?? 'test'}-five`;
const cluster = await ensureCluster(NODES.length, name);
t.teardown(() => cluster.do('down'));
await Promise.all(NODES.map((node) => cluster.configure(node, LEAN)));
const [busybox] = await images(name, 'busybox', 'python:v1', 'redis', 'nginx');
const truth = await sumOnce(cluster, 'n5', 'overlayfs', 'python:v1');
await cluster.sh('n5', 'nerdctl rmi -f registry:5000/python:v1 > /dev/null');

interface ImageJson {
  name: string;
  digest: string;
  nodes: string[];
  block_bytes: number;
}

async function known(node: string): Promise<ImageJson[]> {
  return JSON.parse(await cluster.sh(node, 'forage images --json')) as ImageJson[];
}

async function knows(node: string, image: string): Promise<boolean> {
  return (await known(node)).some((candidate) => candidate.name === `registry:5000/${image}`);
}

async function pull(node: string, image: string): Promise<void> {
  await cluster.sh(node, `nerdctl --snapshotter forage pull -q registry:5000/${image} > /dev/null`);
  await ingested(cluster, node);
  await eventually(`the cluster knows ${image}`, () => knows(node, image));
}

async function forget(node: string, image: string): Promise<void> {
  await cluster.sh(node, `nerdctl rmi -f registry:5000/${image} > /dev/null`);
}

async function hasAllThatItRuns(node: string): Promise<void> {
  await eventually(`${node} has all that it runs`, async () =>
    (await cluster.volumes(node)).filter(({ in_use }) => in_use).every(({ complete }) => complete),
  );
}

/** On how many of these nodes each block is. */
async function copies(nodes: readonly string[]): Promise<Map<string, number>> {
  const on = new Map<string, number>();
  const lists = await Promise.all(
    nodes.map((node) =>
      cluster.sh(node, "find /var/lib/forage/blocks -type f -name '????????*' -printf '%f\\n'"),
    ),
  );
  for (const list of lists)
    for (const id of list.trim().split('\n')) if (id.length === 64) on.set(id, (on.get(id) ?? 0) + 1);
  return on;
}

/** Waits until every block is as often there as there are replicas, and hardly anything more is stored. */
async function atRest(nodes: readonly string[]): Promise<void> {
  await eventually(`every block is on ${REPLICAS} of ${nodes}`, async () => {
    const on = [...(await copies(nodes)).values()];
    const sum = on.reduce((total, count) => total + count, 0);
    return on.length > 0 && Math.min(...on) >= REPLICAS && sum <= 1.1 * REPLICAS * on.length;
  });
}

t.test('what one node has pulled is soon on every node in part, and nowhere whole', async (t) => {
  for (const image of ['python:v1', 'redis:latest']) {
    await pull('n1', image);
    await forget('n1', image);
  }
  await atRest(NODES);
  const on = await copies(NODES);
  t.ok([...on.values()].every((count) => count >= REPLICAS));
  for (const node of NODES) {
    const { count } = (await cluster.status(node)).blocks;
    const fair = (REPLICAS * on.size) / NODES.length;
    t.ok(count > 0.7 * fair && count < 1.3 * fair, `${node} has ${count} of ${on.size} blocks`);
  }
});

t.test('a container whose node is cut off from everybody can read all of its files', async (t) => {
  t.teardown(() => cluster.do('heal'));
  await cluster.sh(
    'n4',
    'nerdctl --snapshotter forage run -d --net none --tmpfs /tmp --name alone -q registry:5000/python:v1 sleep inf',
  );
  t.teardown(() => removeContainer(cluster, 'n4', 'alone'));
  await hasAllThatItRuns('n4');
  await cluster.do('cut', 'n4');
  dropCaches();
  t.equal(await sumIn(cluster, 'n4', 'alone'), truth);
});

t.test('a split cluster works on in both parts, and agrees when it is healed', async (t) => {
  t.teardown(() => cluster.do('heal'));
  // What a container of n1 runs is whole on n1's side.
  await cluster.sh(
    'n1',
    'nerdctl --snapshotter forage run -d --net none --name holder -q registry:5000/python:v1 sleep inf',
  );
  t.teardown(() => removeContainer(cluster, 'n1', 'holder'));
  await hasAllThatItRuns('n1');
  await cluster.do('cut', 'n1', 'n2');
  await eventually('n2 hears n1 only', async () =>
    (await cluster.status('n2')).peers.every(({ name, state }) => (state === 'up') === (name === 'n1')),
  );
  t.equal(
    await sumOnce(cluster, 'n2', 'forage', 'python:v1'),
    truth,
    'the part without the registry pulls what it holds',
  );
  await cluster.sh(
    'n2',
    'cat > /root/image.tar && nerdctl --snapshotter forage load -q -i /root/image.tar > /dev/null',
    {
      input: await archive(busybox!, 'registry:5000/brought:v1'),
    },
  );
  await ingested(cluster, 'n2');
  await pull('n3', 'busybox:latest');
  await eventually(
    'both parts know what is new to them',
    async () => (await knows('n1', 'brought:v1')) && (await knows('n5', 'busybox:latest')),
  );
  t.notOk(await knows('n5', 'brought:v1'));
  await cluster.do('heal');
  await eventually('all know the same images', async () => {
    const lists = await Promise.all(
      NODES.map(async (node) =>
        JSON.stringify((await known(node)).map(({ name, digest }) => [name, digest])),
      ),
    );
    return new Set(lists).size === 1 && (await known('n5')).length === 4;
  });
  const smoke =
    "nerdctl --snapshotter forage run --rm --net none -q registry:5000/brought:v1 sh -c 'echo here'";
  t.equal(
    (await cluster.sh('n5', smoke)).trim(),
    'here',
    'no registry has this image: its manifest comes from the cluster',
  );
});

t.test(
  'the first puller is destroyed with its disk, and after the repair another node: nothing is lost',
  async (t) => {
    for (const node of NODES) {
      await cluster.sh(
        node,
        'nerdctl ps -aq | xargs -r nerdctl rm -f > /dev/null; nerdctl images -q | xargs -r nerdctl rmi -f > /dev/null',
      );
    }
    await atRest(NODES);
    for (const [gone, left] of [
      ['n1', ['n2', 'n3', 'n4', 'n5']],
      ['n2', ['n3', 'n4', 'n5']],
    ] as const) {
      const before = await copies(NODES.slice(NODES.indexOf(gone)));
      await cluster.do('destroy', gone);
      const after = await copies(left);
      t.same(
        [...before.keys()].filter((id) => !after.has(id)),
        [],
        `without ${gone} every block is still there`,
      );
      for (const node of left)
        t.equal(
          await sumOnce(cluster, node, 'forage', 'python:v1'),
          truth,
          `${node} runs it without ${gone}`,
        );
      for (const node of left)
        await cluster.sh(node, 'nerdctl images -q | xargs -r nerdctl rmi -f > /dev/null');
      await atRest(left);
    }
  },
);

t.test('an image that is removed everywhere leaves nothing, and other images whole', async (t) => {
  const before = await copies(['n3', 'n4', 'n5']);
  const removed = JSON.parse(await cluster.sh('n4', 'forage images rm registry:5000/python:v1 --json')) as {
    layers_freed: number;
    still_used_by: string[];
  };
  t.same(removed.still_used_by, []);
  t.ok(removed.layers_freed > 0);
  await eventually(
    'its blocks are gone everywhere',
    async () => (await copies(['n3', 'n4', 'n5'])).size < before.size / 2,
  );
  await cluster.sh(
    'n5',
    'nerdctl --snapshotter forage run --rm --net none -q registry:5000/redis:latest true',
  );
  t.notOk(await knows('n3', 'python:v1'));
});

t.test('a node that gives everything away can be switched off at once', async (t) => {
  await cluster.sh('n5', 'nerdctl images -q | xargs -r nerdctl rmi -f > /dev/null');
  await cluster.sh('n5', 'forage drain --json', { timeoutMs: 180_000 });
  const left = await copies(['n3', 'n4']);
  t.ok([...left.values()].every((count) => count === 2));
  t.same(
    [...(await copies(['n5'])).keys()].filter((id) => !left.has(id)),
    [],
  );
  await cluster.sh('n5', 'forage drain --undo');
});

t.test('a layer is believed as soon as enough nodes have made it themselves, and not before', async (t) => {
  for (const node of ['n4', 'n5']) {
    await cluster.sh(
      node,
      `sed -i '1i trust = "quorum:2"' /etc/forage/config.toml && systemctl restart forage`,
    );
  }
  await pull('n3', 'nginx:latest');
  await pull('n4', 'nginx:latest');
  const { ingest } = await cluster.status('n4');
  t.ok(ingest.done > 0, 'one node is not enough: n4 has pulled from the registry, and made the layers too');
  await pull('n5', 'nginx:latest');
  const lazy = await cluster.status('n5');
  t.equal(lazy.ingest.done, 0, 'two are');
});

t.test(
  'a node of another cluster is refused and named; one that is revoked gets nothing any more',
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'forage-test-'));
    t.teardown(() => rm(dir, { recursive: true }));
    const forage = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, 'cluster', ...args]);
    await forage('init', '--dir', join(dir, 'other'));
    const token = join(dir, 'token');
    await forage('issue', 'stranger', '--dir', join(dir, 'other'), '--token', token);
    await cluster.sh('n5', 'mkdir -p /root/own && cp /etc/forage/node.* /etc/forage/ca.crt /root/own/');
    const since = (await cluster.sh('n3', 'date +%s')).trim();
    const logOf = (node: string) => cluster.sh(node, `journalctl -u forage -o cat --since @${since}`);
    await cluster.sh(
      'n5',
      'cat > /root/token && forage cluster join n3 --force --token /root/token || true',
      {
        input: await readFile(token),
      },
    );
    await eventually('n3 names the stranger', async () => /refused.*|certificate/.test(await logOf('n3')));
    t.same(
      (await cluster.status('n5')).peers.filter(({ state }) => state === 'up'),
      [],
    );
    await cluster.sh('n5', 'cp /root/own/* /etc/forage/ && systemctl restart forage');
    await eventually('n5 is back', async () =>
      (await cluster.status('n5')).peers.some(({ state }) => state === 'up'),
    );

    const record = join(dir, 'record');
    await forage(
      'revoke',
      'n5',
      '--dir',
      authorityOf(name),
      '--cert',
      join(issuedTo(name, 'n5'), 'node.crt'),
      '--out',
      record,
    );
    await cluster.sh('n3', 'cat > /root/record && forage cluster revoke --record /root/record', {
      input: await readFile(record),
    });
    await eventually('n5 has no neighbours', async () =>
      (await cluster.status('n5')).peers.every(({ state }) => state !== 'up'),
    );
    for (const node of ['n3', 'n4']) t.match(await logOf(node), /n5 is revoked/, `${node} says why`);
  },
);

t.test('a machine becomes a member by one command with a token', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'forage-test-'));
  t.teardown(() => rm(dir, { recursive: true }));
  const token = join(dir, 'token');
  await promisify(execFile)(process.execPath, [
    CLI,
    ...['cluster', 'issue', 'newcomer', '--dir', authorityOf(name), '--out', join(dir, 'newcomer')],
    ...['--token', token],
  ]);
  const join3 = 'forage cluster join n3 --force --token -';
  const said = await cluster.sh('n5', join3, { input: await readFile(token), timeoutMs: 60_000 });
  t.match(said, /n3/);
  await eventually('n4 hears of the newcomer', async () =>
    (await cluster.status('n4')).peers.some((peer) => peer.name === 'newcomer' && peer.state === 'up'),
  );
  await cluster.sh(
    'n5',
    'nerdctl --snapshotter forage run --rm --net none -q registry:5000/redis:latest true',
  );
});
