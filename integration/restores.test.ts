/**
 * What goes wrong while a container is restored lazily, and while one is checkpointed: no wrong memory, no container lost that could still
 * run, nothing left behind. n2, where containers are restored, keeps nothing for others, and its link takes seconds for the memory.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { begin, checkpoint, clean, left, list, removeContainers } from './lib/checkpoints.ts';
import { answersContainerd, ensureCluster, eventually, ingested, pushImages } from './lib/cluster.ts';
import { seededRandom } from './lib/random.ts';
import { dropCaches } from './lib/reader.ts';
import { changing, counter, hasher, inside } from './lib/workloads.ts';

const NODES = ['n1', 'n2', 'n3'] as const;
const MEMORY = hasher(96);
const KEEPS_NOTHING = '[cache]\ncapacity_bytes = 1\n';

const cluster = await ensureCluster(3, 'restores', { link: '80mbit', repairs: true });
t.teardown(() => cluster.do('down'));
await pushImages(cluster, ['busybox', 'python:v1']);
await cluster.configure('n2', KEEPS_NOTHING);
await cluster.sh('n1', 'nerdctl --snapshotter forage pull -q registry:5000/python:v1 > /dev/null');
await ingested(cluster, 'n1');
const { state: STATE } = await begin(cluster, 'web', MEMORY);
await checkpoint(cluster, 'first', 'web');
await removeContainers(cluster, ['n1']);

/** Begins with the checkpoint alone, none of which is on n2, and must leave nothing else on any node. */
function scenario(name: string, run: (t: Test) => Promise<void>) {
  return t.test(name, async (t) => {
    await forgetOn('n2');
    try {
      await run(t);
    } finally {
      await cluster.do('heal');
      await removeContainers(cluster, NODES);
      for (const { id } of await list(cluster))
        if (id !== 'first') await cluster.sh('n1', `forage checkpoint rm ${id}`);
    }
    for (const node of NODES) t.same(await left(cluster, node, ['first']), [], `nothing is left on ${node}`);
  });
}

async function forgetOn(node: string): Promise<void> {
  await cluster.sh(
    node,
    `ctr image ls -q | xargs -r ctr image rm --sync > /dev/null
     systemctl stop forage && rm -rf /var/lib/forage/blocks /var/lib/forage/volumes /var/lib/forage/db && systemctl start forage
     until forage checkpoint ls 2> /dev/null | grep -q '^first '; do sleep 0.1; done`,
  );
  await answersContainerd(cluster, node);
  dropCaches();
}

/** Runs on n2; most of its memory is not there. */
const restoring = () => cluster.sh('n2', 'forage restore first --name web2 --no-wait');

const isStreaming = async () =>
  (await cluster.run('n2', ['pgrep', '-f', '[s]him/main.ts .* restore'])).status === 0;
const isStopped = async (name: string) =>
  new RegExp(`${name} .*STOPPED`).test(await cluster.sh('n2', 'ctr task ls'));
const says = async (pattern: RegExp) => pattern.test(await cluster.sh('n2', 'journalctl -u forage -o cat'));

async function isWhole(t: Test, name: string): Promise<void> {
  t.equal(await inside(cluster, 'n2', name, MEMORY.check), STATE, 'its memory is what it was');
}

/** The fault comes while the memory is on the way, and the container goes on. `mend`: what is to be done about it afterwards. */
function survives(what: string, fault: (t: Test) => Promise<void>, mend?: () => Promise<unknown>) {
  return scenario(`${what}: the container goes on`, async (t) => {
    await restoring();
    t.ok(await isStreaming(), 'its memory is on the way');
    try {
      await fault(t);
      await isWhole(t, 'web2');
    } finally {
      await mend?.();
    }
  });
}

await survives('forage is killed', async () => {
  for (let i = 0; i < 3; i++) {
    await cluster.sh('n2', 'systemctl kill -s KILL forage');
    await sleep(500);
  }
});

await survives('the volume server is killed', async () => {
  for (let i = 0; i < 3; i++) {
    await cluster.sh('n2', 'pkill -KILL -P $(systemctl show -P MainPID forage-volumes) -f server.ts || true');
    await sleep(500);
  }
});

await survives('the link is cut for ten seconds', async (t) => {
  await cluster.do('cut', 'n2');
  await sleep(10_000);
  t.ok(await isStreaming(), 'it waits');
  await cluster.do('heal');
});

await survives(
  'the node that made the checkpoint dies',
  () => cluster.do('kill', 'n1').then(() => {}),
  () => cluster.do('start', 'n1'),
);

await survives('blocks are corrupt on a node that has them', async (t) => {
  const random = seededRandom();
  t.comment(`seed ${random.seed}`);
  const { memory_root: root } = JSON.parse(
    await cluster.sh('n1', 'forage checkpoint inspect first --json'),
  ) as { memory_root: string };
  t.match(root, /^[0-9a-f]{64}$/);
  const blocks = (await cluster.sh('n1', 'find /var/lib/forage/blocks -size 64k -type f')).trim().split('\n');
  const hit = blocks.filter(() => random.next() < 0.1);
  t.ok(hit.length > 50, `${hit.length} blocks`);
  const flip = hit.map((path) => `printf X | dd of=${path} bs=1 seek=1000 conv=notrunc status=none`);
  await cluster.sh('n1', 'cat > /tmp/flip', { input: flip.join('\n') });
  await cluster.sh('n1', 'sh /tmp/flip');
});

await scenario('its guard is killed: the container is, too, and its checkpoint restores again', async (t) => {
  await restoring();
  await cluster.sh('n2', "pkill -KILL -f '[s]him/main.ts .* restore'");
  await eventually('it is dead', () => isStopped('web2'));
  await eventually('the log says why', () => says(/its guard has died/));
  await cluster.sh('n2', 'forage restore first --name web3');
  await isWhole(t, 'web3');
});

await scenario(
  'nobody who has its memory answers within the bound: the container is killed, and its checkpoint restores again',
  async (t) => {
    t.teardown(() => cluster.configure('n2', KEEPS_NOTHING));
    await cluster.configure('n2', `[fetch]\nwait_seconds = 4\n${KEEPS_NOTHING}`);
    await answersContainerd(cluster, 'n2');
    await restoring();
    await cluster.do('cut', 'n2');
    await eventually('it is dead', () => isStopped('web2'));
    t.ok(await says(/was killed: its memory did not come/));
    await cluster.do('heal');
    await cluster.sh('n2', 'forage restore first --name web3');
    await isWhole(t, 'web3');
  },
);

await scenario(
  'the source is lost in the middle of a lazy migration: the container begins again from what was there, and that is said',
  async (t) => {
    t.teardown(() => cluster.configure('n2', KEEPS_NOTHING));
    await cluster.configure('n2', `[fetch]\nwait_seconds = 4\n${KEEPS_NOTHING}`);
    await answersContainerd(cluster, 'n2');
    const workload = changing(32);
    const { id, state } = await begin(cluster, 'web', workload);
    const migration = cluster.run('n1', ['forage', 'migrate', id, '--to', 'n2', '--lazy']);
    const runs = async () => new RegExp(`${id} .*RUNNING`).test(await cluster.sh('n2', 'ctr task ls'));
    await eventually('it runs there', runs);
    await cluster.do('cut', 'n1');
    await eventually('it has begun again', () => says(/has begun again from an earlier checkpoint/));
    t.equal(await inside(cluster, 'n2', id, workload.check), state, 'its memory is of one moment');
    await cluster.do('heal');
    const { status, stdout, stderr } = await migration;
    t.equal(status, 0, stderr);
    t.match(stderr, /how its memory comes there, cannot be heard/);
    t.match(stdout, /began again on n2, from the checkpoint that was brought there before it was frozen/);
    const [, later] = /is in checkpoint (\S+),/.exec(stdout)!;
    await cluster.sh('n2', `forage restore ${later} --name web2`);
    t.equal(await inside(cluster, 'n2', 'web2', workload.check), state, 'nothing is lost');
  },
);

await scenario('forage-runc is killed in the middle of a restore: nothing of it runs on', async (t) => {
  for (const victim of ['[f]orage-runc .* restore', '[s]him/main.ts .* restore']) {
    await cluster.sh(
      'n2',
      `forage restore first --name web2 > /dev/null 2>&1 & pid=$!
       until pkill -KILL -f '${victim}'; do sleep 0.01; done; ! wait $pid`,
    );
    t.equal((await cluster.sh('n2', 'ctr container ls -q')).trim(), '', 'there is no container');
    await eventually('no process is left', async () => !(await isStreaming()));
  }
});

await scenario('forage-runc is killed in the middle of a checkpoint: the container goes on', async (t) => {
  const { id } = await begin(cluster, 'web', counter);
  await cluster.sh(
    'n1',
    `forage checkpoint create web > /dev/null 2>&1 & pid=$!
     until pkill -KILL -f '[s]him/main.ts .* checkpoint'; do sleep 0.01; done; ! wait $pid`,
  );
  await goesOn(t, id);
  await checkpoint(cluster, 'third', 'web');
  await goesOn(t, id);
});

await scenario(
  'the disk is full while a container is checkpointed: it goes on, and so does the checkpoint later',
  async (t) => {
    const { id } = await begin(cluster, 'web', counter);
    await withForageStopped('mount -t tmpfs -o size=64k full /var/lib/forage/blocks');
    try {
      const argv = ['timeout', '5', 'forage', 'checkpoint', 'create', 'web', '--name', 'second'];
      t.equal((await cluster.run('n1', argv)).status, 124, 'it waits for room');
      await goesOn(t, id);
    } finally {
      await withForageStopped('umount /var/lib/forage/blocks');
    }
    await eventually('it is made when there is room', async () => (await list(cluster)).length === 2);
    await cluster.sh('n2', 'forage restore second --name web2');
  },
);

await scenario('there is no room for a dump: the container goes on, and the reason is said', async (t) => {
  const { id } = await begin(cluster, 'web', counter);
  const folders = ['/run/forage/staging', '/var/lib/forage/staging'];
  for (const folder of folders) await cluster.sh('n1', `mount -t tmpfs -o size=64k full ${folder}`);
  try {
    const { status, stderr } = await cluster.run('n1', ['forage', 'checkpoint', 'create', 'web']);
    t.equal(status, 1);
    t.match(stderr, /does not fit into/);
    await goesOn(t, id);
  } finally {
    for (const folder of folders) await cluster.sh('n1', `umount ${folder}`);
  }
});

async function withForageStopped(script: string): Promise<void> {
  await cluster.sh('n1', `systemctl stop forage && ${script}; systemctl start forage`);
  await answersContainerd(cluster, 'n1');
}

async function goesOn(t: Test, id: string): Promise<void> {
  const count = async () => Number(await inside(cluster, 'n1', id, ['cat', '/count']));
  const before = await count();
  await eventually('it counts on', async () => (await count()) > before);
  t.pass('it counts on');
}

await t.test('without the checkpoint nothing is left', async (t) => {
  await clean(cluster, NODES);
  for (const node of NODES) t.same(await left(cluster, node), [], `nothing is left on ${node}`);
});
