import { spawnSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { LAZY, PRESENT, pagemapImage, pagesImage } from '../blocks/pagemap.twin.ts';
import { PAGE_BYTES } from '../blocks/types.ts';
import { Bed, REFERENCE, until } from './bed.twin.ts';
import { encodeReference } from './reference.ts';

async function withReference(t: Test): Promise<Bed> {
  const bed = await Bed.make(t);
  await mkdir(bed.path('images'));
  await writeFile(bed.path('images/forage-checkpoint.json'), encodeReference(REFERENCE));
  return bed;
}

const isGone = (pid: number) => {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
};
const events = (bed: Bed) => bed.asked.filter((request) => request.do === 'event');
/** Where a program has its memory: an address that is free in any process. */
const ADDRESS = 2 ** 40;
const PAGES = 300;
const MEMORY = { RUNC_MEMORY: `${ADDRESS} ${PAGES}` };

async function withMemory(t: Test, pages: Buffer): Promise<Bed> {
  const bed = await withReference(t);
  const entries = [{ address: ADDRESS, pages: PAGES, flags: PRESENT | LAZY }];
  await writeFile(bed.path('volume/pagemap-1.img'), pagemapImage(1, entries));
  await writeFile(bed.path('volume/pages-1.img'), pages);
  await bed.node(t, bed.well);
  t.teardown(async () => {
    const pid = Number(await bed.text('program-pid').catch(() => '0'));
    if (pid > 0) spawnSync('kill', ['-9', String(pid)]);
  });
  return bed;
}

t.test('a folder as runc left it is restored by runc alone', async (t) => {
  const bed = await Bed.make(t);
  await mkdir(bed.path('images'));
  await writeFile(bed.path('images/pages-1.img'), 'plain');
  t.match(await bed.run(bed.restore()), { status: 0 });
  t.equal(await bed.text('restored'), 'plain');
  t.same(bed.asked, []);
});

t.test("a reference: runc restores from the node's volume, and the guard tells how it goes on", async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  t.match(await bed.run(bed.restore()), { status: 0 });
  t.equal(await bed.text('restored'), 'of the volume');
  t.match(await bed.text('calls'), / --image-path \S+volume .*--tcp-established --lazy-pages c1/);
  t.match(bed.asked[0], { do: 'restore', reference: REFERENCE, container: { id: 'c1' } });
  await until(() => events(bed).length === 2);
  t.match(events(bed), [{ event: 'running' }, { event: 'complete' }]);
});

t.test('a container in a user namespace has all of its memory before it runs', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  const config = { root: { path: 'rootfs' }, linux: { namespaces: [{ type: 'mount' }, { type: 'user' }] } };
  await writeFile(bed.path('bundle/config.json'), JSON.stringify(config));
  t.match(await bed.run(bed.restore()), { status: 0 });
  t.notMatch(await bed.text('calls'), /--lazy-pages/);
  await until(() => events(bed).length === 2);
  t.match(events(bed), [{ event: 'running' }, { event: 'complete' }]);
});

t.test('memory comes after runc has ended, and what was touched first is told', async (t) => {
  const bed = await withMemory(t, pagesImage(PAGES, 1000));
  t.match(await bed.run(bed.restore(), MEMORY), { status: 0 });
  await writeFile(bed.path('touch'), '');
  await until(async () => (await bed.text('touched').catch(() => '')) !== '');
  const words = Array.from({ length: PAGES }, (_, i) => 1000 + PAGES - 1 - i);
  t.equal(await bed.text('touched'), words.join(' '));
  await until(() => events(bed).length === 2);
  t.match(events(bed)[1], { event: 'complete' });
  const touched = bed.asked.find((request) => request.do === 'touched');
  if (touched) t.ok(touched.pages.every(([file, page]) => file === 1 && page < PAGES));
});

t.test(
  'memory that cannot be had: the container is killed, has seen no zeros, and the reason is told',
  async (t) => {
    const bed = await withMemory(t, pagesImage(PAGES, 1000).subarray(0, 3 * PAGE_BYTES));
    const { status } = await bed.run(bed.restore(), MEMORY);
    await writeFile(bed.path('touch'), '');
    // It may be found out before runc has ended: then that is what the restore fails with.
    if (status === 0) {
      await until(() => events(bed).length === 2);
      t.match(events(bed)[1], { event: 'killed', reason: /memory cannot be had: pages-1.img is cut off/ });
    } else t.match(await bed.text('log.json'), /pages-1.img is cut off/);
    await until(async () => / kill --all c1 KILL/.test(await bed.text('calls')));
    await t.rejects(bed.text('touched'), { code: 'ENOENT' });
  },
);

t.test('a restore that fails has the status of runc, and is ended', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  t.match(await bed.run(bed.restore(), { RUNC_FAILS: '1' }), { status: 3, stderr: '' });
  await until(async () => (await bed.text('calls')).includes('kill --all c1'));
  t.same(events(bed), []);
});

const isRestoring = async (bed: Bed) => (await readFile(bed.path('restored'), 'utf8').catch(() => '')) !== '';
const isKilled = async (bed: Bed) => (await bed.text('calls')).includes(' kill --all c1 KILL');

t.test('kill -9 of forage-runc in the middle of a restore: what it makes is ended', async (t) => {
  const bed = await withReference(t);
  await bed.node(t, bed.well);
  const child = bed.start(bed.restore(), { RUNC_RESTORES: '1' });
  await until(() => isRestoring(bed));
  child.kill('SIGKILL');
  await until(() => isKilled(bed));
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
    t.ok(await isKilled(bed));
  },
);

t.test("a restored container's streams are nobody else's", async (t) => {
  const bed = await withMemory(t, pagesImage(PAGES, 1000));
  // Resolves when the last writer of its standard error has gone.
  t.match(await bed.run(bed.restore(), MEMORY), { status: 0, stderr: '' });
  t.notOk(isGone(Number(await bed.text('program-pid'))));
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
