import { mkdir, readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { Bed, REFERENCE, until } from './bed.twin.ts';
import { pagemapImage } from './pagemap.twin.ts';
import { encodeReference } from './reference.ts';

async function withReference(t: Test): Promise<Bed> {
  const bed = await Bed.make(t);
  await mkdir(bed.path('images'));
  await writeFile(bed.path('images/forage-checkpoint.json'), encodeReference(REFERENCE));
  return bed;
}

const events = (bed: Bed) => bed.asked.filter((request) => request.do === 'event');
const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};

t.test('a folder as runc left it is restored by runc alone', async (t) => {
  const bed = await Bed.make(t);
  await mkdir(bed.path('images'));
  await writeFile(bed.path('images/pages-1.img'), 'plain');
  t.match(await bed.run(bed.restore()), { status: 0 });
  t.equal(await bed.text('restored'), 'plain');
  t.same(bed.asked, []);
});

t.test(
  "a reference: runc restores lazily from the node's volume, and the guard tells how it goes on",
  async (t) => {
    const bed = await withReference(t);
    await bed.node(t, bed.well);
    t.match(await bed.run(bed.restore()), { status: 0 });
    t.equal(await bed.text('restored'), 'of the volume');
    t.match(await bed.text('calls'), / --image-path \S+volume .*--tcp-established --lazy-pages c1/);
    t.match(bed.asked[0], { do: 'restore', reference: REFERENCE, container: { id: 'c1' } });
    await until(() => events(bed).length === 1);
    t.match(events(bed), [{ event: 'running' }]);
    await writeFile(bed.path('criu-ends'), '0');
    await until(() => events(bed).length === 2);
    t.match(events(bed)[1], { event: 'complete' });
  },
);

t.test('the node is told which memory the container has touched first', async (t) => {
  const bed = await withReference(t);
  await writeFile(bed.path('volume/pagemap-1.img'), pagemapImage(1, [{ address: 0x1000, pages: 9 }]));
  const faults = [0x5000, 0x6000, 0x1000].map((address) => `uffd: 1-7: #PF at 0x${address.toString(16)}\n`);
  await writeFile(bed.path('criu-log'), faults.join(''));
  await writeFile(bed.path('criu-ends'), '0');
  await bed.node(t, bed.well);
  await bed.run(bed.restore());
  const touched = () => bed.asked.filter((request) => request.do === 'touched');
  await until(() => touched().length === 1);
  t.match(touched(), [
    {
      pages: [
        [1, 4, 2],
        [1, 0, 1],
      ],
    },
  ]);
});

t.test('a lazy-pages daemon that dies takes the container with it, and the reason is told', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  await bed.run(bed.restore());
  await until(() => events(bed).length === 1);
  process.kill(Number(await bed.text('criu-pid')), 'SIGKILL');
  await until(() => events(bed).length === 2);
  t.match(events(bed)[1], { event: 'killed', reason: /SIGKILL/ });
  t.match(await bed.text('calls'), / kill --all c1 KILL/);
});

t.test('a restore that fails ends the daemon, with the status of runc', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  t.match(await bed.run(bed.restore(), { RUNC_FAILS: '1' }), { status: 3, stderr: '' });
  const pid = Number(await bed.text('criu-pid'));
  await until(() => isGone(pid));
  t.same(events(bed), []);
});

async function daemonEnds(bed: Bed): Promise<void> {
  const pids = [await bed.text('criu-pid'), await bed.text('guard-pid')].map(Number);
  await writeFile(bed.path('criu-ends'), '0');
  await until(() => pids.every(isGone));
}

const isRestoring = async (bed: Bed) => (await readFile(bed.path('restored'), 'utf8').catch(() => '')) !== '';

t.test('kill -9 of forage-runc in the middle of a restore: what it makes is ended', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  const child = bed.start(bed.restore(), { RUNC_RESTORES: '1' });
  await until(() => isRestoring(bed));
  child.kill('SIGKILL');
  const pid = Number(await bed.text('criu-pid'));
  await until(() => isGone(pid));
  await until(async () => (await bed.text('calls')).includes(' kill --all c1 KILL'));
  t.same(events(bed), []);
});

t.test(
  'kill -9 of the guard in the middle of a restore: it has failed, and what it makes is ended',
  async (t) => {
    const bed = await withReference(t);
    await bed.node(t, bed.well);
    const ended = bed.run(bed.restore(), { RUNC_RESTORES: '1' });
    await until(() => isRestoring(bed));
    process.kill(Number(await bed.text('guard-pid')), 'SIGKILL');
    t.match(await ended, { status: 1, stderr: '' });
    t.match(await bed.text('calls'), / kill --all c1 KILL/);
    await daemonEnds(bed);
  },
);

t.test("a restored container's streams are nobody else's", async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  // Resolves when the last writer of its standard error has gone, while the daemon still serves.
  t.match(await bed.run(bed.restore()), { status: 0, stderr: '' });
  t.notOk(isGone(Number(await bed.text('criu-pid'))));
  await daemonEnds(bed);
});

t.test('a reference that the node does not know is an error in the log, and nothing runs', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, () => ({ error: 'no node of the cluster has told of a checkpoint web-1' }));
  t.match(await bed.run(bed.restore()), { status: 1, stderr: '' });
  t.match(JSON.parse(await bed.text('log.json')), { level: 'error', msg: /no node of the cluster/ });
  await t.rejects(bed.text('restored'));
});

t.test('a reference that cannot be used is refused before anything is asked', async (t) => {
  const bed = await withReference(t);
  await writeFile(bed.path('images/forage-checkpoint.json'), '{"forage":1,"checkpoint":"../../etc"}');
  await bed.node(t, bed.well);
  t.match(await bed.run(bed.restore()), { status: 1, stderr: '' });
  t.match(await bed.text('log.json'), /is not a reference to a checkpoint/);
  t.same(bed.asked, []);
});

t.test('without a node a reference cannot be restored, and the log says why', async (t) => {
  const bed = await withReference(t);
  t.match(await bed.run(bed.restore()), { status: 1 });
  t.match(await bed.text('log.json'), /no node answers/);
});
