/** What a node does when neighbours die, return, lie, or share only a part. */
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ensureCluster, eventually, forgetAll, ingested, pushImages } from './lib/cluster.ts';
import { dropCaches, passes, removeContainer, startReader, sumOnce } from './lib/reader.ts';

const IMAGE = 'python:v1';
const NEWER = 'python:v2';

const cluster = await ensureCluster(3, process.env.FORAGE_TEST_CLUSTER ?? 'test');
await pushImages(cluster, [IMAGE, NEWER]);
await forgetAll(cluster, 'n1', 'n2', 'n3');
const truth = await sumOnce(cluster, 'n3', 'overlayfs', IMAGE);
await pull('n1', IMAGE);

async function pull(machine: string, image: string): Promise<void> {
  await cluster.sh(machine, `nerdctl --snapshotter forage pull -q registry:5000/${image}`);
  await ingested(cluster, machine);
}

/** Enough to take a reader's neighbours away before it reads on; it could have read everything else. */
const HEAD_START_SECONDS = 4;

/** Starts a reader on n2, which has nothing but what it has read: the kernel, too, has forgotten what other readers have read. */
async function readerOnItsOwn(name: string, delaySeconds = 0): Promise<void> {
  await forgetAll(cluster, 'n2');
  await cluster.setCompletion('n2', false);
  dropCaches();
  await startReader(cluster, 'n2', name, IMAGE, delaySeconds);
}

async function waitingReads(): Promise<number> {
  return (await cluster.status('n2')).waiting_reads;
}

t.test(
  'the only holder dies while a container runs: its reads wait, and go on when it is back',
  async (t) => {
    t.teardown(() => removeContainer(cluster, 'n2', 'waits'));
    await readerOnItsOwn('waits', HEAD_START_SECONDS);
    await cluster.do('kill', 'n1');
    await eventually('a read waits', async () => (await waitingReads()) > 0);
    await sleep(3000);
    t.same(await passes(cluster, 'n2', 'waits'), [], 'no pass is over, and none has failed');
    await cluster.do('start', 'n1');
    await eventually('the pass is over', async () => (await passes(cluster, 'n2', 'waits')).length > 0);
    t.equal((await passes(cluster, 'n2', 'waits'))[0], truth);
  },
);

t.test('with another holder, a read goes on when the first one dies', async (t) => {
  t.teardown(() => removeContainer(cluster, 'n2', 'fails-over'));
  await cluster.setCompletion('n3', true);
  await cluster.sh(
    'n3',
    `nerdctl --snapshotter forage run -d --net none --name holder registry:5000/${IMAGE} sleep inf`,
  );
  t.teardown(() => removeContainer(cluster, 'n3', 'holder'));
  await eventually('n3 has every block', async () => (await cluster.volumes('n3')).every((v) => v.complete));
  await readerOnItsOwn('fails-over');
  await cluster.do('kill', 'n1');
  await eventually('the pass is over', async () => (await passes(cluster, 'n2', 'fails-over')).length > 0);
  t.equal((await passes(cluster, 'n2', 'fails-over'))[0], truth);
  await cluster.do('start', 'n1');
});

t.test('a container whose read waits can be removed', async (t) => {
  t.teardown(() => cluster.do('heal'));
  await readerOnItsOwn('hopeless', HEAD_START_SECONDS);
  await cluster.do('cut', 'n2');
  await eventually('a read waits', async () => (await waitingReads()) > 0);
  const { status } = await cluster.run('n2', ['nerdctl', 'rm', '-f', 'hopeless'], { timeoutMs: 30_000 });
  t.equal(status, 0);
  await eventually('nothing waits any longer', async () => (await waitingReads()) === 0);
});

t.test("corrupt blocks on a neighbour's disk are refused, logged, and fetched elsewhere", async (t) => {
  t.teardown(() => removeContainer(cluster, 'n2', 'distrusts'));
  await cluster.sh(
    'n3',
    `nerdctl --snapshotter forage run -d --net none --name good registry:5000/${IMAGE} sleep inf`,
  );
  t.teardown(() => removeContainer(cluster, 'n3', 'good'));
  await eventually('n3 has every block', async () => (await cluster.volumes('n3')).every((v) => v.complete));
  await corrupt('n1', 40);
  await readerOnItsOwn('distrusts');
  await eventually('a pass is over', async () => (await passes(cluster, 'n2', 'distrusts')).length > 0);
  t.equal((await passes(cluster, 'n2', 'distrusts'))[0], truth);
  t.ok(await logged('n1', 'corrupt'), 'n1 has noticed');
});

t.test(
  "corrupt blocks on a node's own disk are found after a boot, logged, and fetched elsewhere",
  async (t) => {
    t.teardown(() => removeContainer(cluster, 'n2', 'own-disk'));
    await forgetAll(cluster, 'n2');
    await cluster.setCompletion('n2', true);
    await startReader(cluster, 'n2', 'own-disk', IMAGE);
    await eventually('n2 has every block', async () =>
      (await cluster.volumes('n2')).every((v) => v.complete),
    );
    await cluster.do('kill', 'n2');
    await cluster.do('start', 'n2');
    await corrupt('n2', 40);
    dropCaches();
    await cluster.sh('n2', 'nerdctl start own-disk');
    const before = (await passes(cluster, 'n2', 'own-disk')).length;
    await eventually('a pass is over', async () => (await passes(cluster, 'n2', 'own-disk')).length > before);
    t.same(
      (await passes(cluster, 'n2', 'own-disk')).filter((line) => line !== truth),
      [],
    );
    t.ok(await logged('n2', 'corrupt'), 'n2 has noticed');
  },
);

t.test('a node with one version of an image fetches under a quarter of the other', async (t) => {
  t.teardown(() => removeContainer(cluster, 'n2', 'newer'));
  await cluster.sh('n1', `nerdctl --snapshotter forage pull -q registry:5000/${NEWER}`);
  await ingested(cluster, 'n1');
  const known = new Set((await cluster.volumes('n2')).map((volume) => volume.root));
  await cluster.setCompletion('n2', true);
  const before = (await cluster.status('n2')).fetched_bytes;
  await startReader(cluster, 'n2', 'newer', NEWER);
  await eventually('n2 has every block', async () => (await cluster.volumes('n2')).every((v) => v.complete));
  const fetched = (await cluster.status('n2')).fetched_bytes - before;
  const fresh = (await cluster.volumes('n2')).filter((volume) => !known.has(volume.root));
  const bytes = fresh.reduce((sum, volume) => sum + volume.bytes_here, 0);
  t.ok(fresh.length > 0, 'the newer version has layers of its own');
  t.ok(fetched < bytes / 4, `${fetched} of ${bytes} bytes`);
});

/** Flips a byte in so many blocks of a node, as a bad disk would. */
async function corrupt(machine: string, count: number): Promise<void> {
  await cluster.sh(
    machine,
    `find /var/lib/forage/blocks -type f | sort | awk 'NR % 7 == 3' | head -n ${count} |
     while read -r f; do printf '\\125' | dd of="$f" bs=1 seek=1000 conv=notrunc status=none; done`,
  );
}

async function logged(machine: string, word: string): Promise<boolean> {
  return (
    (await cluster.run(machine, ['sh', '-c', `journalctl -b -u 'forage*' | grep -qi ${word}`])).status === 0
  );
}
