/** Containers do not notice what happens to forage's processes, units and machine. */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  answersContainerd,
  type Cluster,
  ensureCluster,
  eventually,
  ingested,
  pushImages,
} from './lib/cluster.ts';
import { seededRandom } from './lib/random.ts';
import { dropCaches, passes, removeContainer, startReader, sumOnce } from './lib/reader.ts';

const IMAGE = 'python:v1';
const KILLS = 100;

const cluster = await ensureCluster(3, process.env.FORAGE_TEST_CLUSTER ?? 'test');
await pushImages(cluster, [IMAGE]);
const truth = await sumOnce(cluster, 'n3', 'overlayfs', IMAGE);
await cluster.sh('n1', `nerdctl --snapshotter forage pull -q registry:5000/${IMAGE}`);
await ingested(cluster, 'n1');

/** Ends one of the two processes with SIGKILL; systemd or the holder brings it back. Just now it may not be there: 0. */
function kill(which: 'node' | 'volume server'): Promise<string> {
  const pid =
    which === 'node'
      ? 'systemctl show -P MainPID forage'
      : 'pgrep -P $(systemctl show -P MainPID forage-volumes) -f server.ts || echo 0';
  return cluster.sh('n2', `pid=$(${pid}); [ "$pid" -le 0 ] || kill -9 "$pid"`);
}

async function passCount(name: string): Promise<number> {
  return (await passes(cluster, 'n2', name)).length;
}

/** Waits for `more` passes from now on, and checks that each of all passes was right. */
async function checkPasses(t: Test, name: string, more: number): Promise<void> {
  const before = await passCount(name);
  await eventually(`${name} makes ${more} more passes`, async () => (await passCount(name)) >= before + more);
  const wrong = (await passes(cluster, 'n2', name)).filter((line) => line !== truth);
  t.same(wrong, [], `no read fails, every checksum is right`);
}

t.test(`${KILLS} kills at random moments under a container that reads all of its files`, async (t) => {
  const random = seededRandom();
  t.comment(`seed ${random.seed}`);
  t.teardown(() => removeContainer(cluster, 'n2', 'killed'));
  await startReader(cluster, 'n2', 'killed', IMAGE);
  for (let i = 0; i < KILLS; i++) {
    await sleep(random.between(0, 700));
    if (random.next() < 0.2) dropCaches();
    await kill(random.next() < 0.5 ? 'node' : 'volume server');
  }
  dropCaches();
  await checkPasses(t, 'killed', 2);
});

for (const unit of ['forage', 'forage-volumes']) {
  t.test(`systemctl restart ${unit} under a reading container`, async (t) => {
    const name = `under-${unit}`;
    t.teardown(() => removeContainer(cluster, 'n2', name));
    await answersContainerd(cluster, 'n2');
    await startReader(cluster, 'n2', name, IMAGE);
    for (let i = 0; i < 5; i++) {
      dropCaches();
      await cluster.sh('n2', `systemctl restart ${unit}`);
      await sleep(300);
    }
    dropCaches();
    await checkPasses(t, name, 2);
  });
}

t.test(
  'after a reboot, with its neighbours down, a node starts its containers from its own blocks',
  async (t) => {
    t.teardown(async () => {
      await removeContainer(cluster, 'n2', 'rebooted');
      await cluster.do('heal');
    });
    await answersContainerd(cluster, 'n2');
    await startReader(cluster, 'n2', 'rebooted', IMAGE);
    await eventually('all blocks are on n2', () => complete(cluster, 'n2'));
    await cluster.do('cut', 'n2');
    await cluster.do('reboot', 'n2');
    await cluster.sh('n2', 'nerdctl start rebooted');
    dropCaches();
    await checkPasses(t, 'rebooted', 2);
  },
);

async function complete(cluster: Cluster, machine: string): Promise<boolean> {
  const volumes = await cluster.volumes(machine);
  return volumes.length > 0 && volumes.every((volume) => volume.complete);
}
