import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { tasks as pb } from '../../proto/containerd.ts';
import { openContainerd } from './containerd.ts';
import type { Container } from './containers.ts';
import { startContainerdTwin } from './twin.ts';

const layers = ['a', 'b', 'c'].map((name) => `sha256:${createHash('sha256').update(name).digest('hex')}`);
const [low, middle, high] = layers as [string, string, string];
const scope = 'default';
const { Status } = pb;
const web: Container = {
  id: 'web-1',
  image: 'busybox:latest',
  labels: { 'nerdctl/name': 'web' },
  runtime: {
    name: 'io.containerd.runc.v2',
    options: { typeUrl: 'containerd.runc.v1.Options', value: new Uint8Array([8, 1]) },
  },
  spec: Buffer.from('{"ociVersion":"1.1.0"}'),
  snapshotter: 'forage',
  snapshotKey: 'upper',
};

async function setup(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-running-'));
  const path = join(folder, 'c.sock');
  const twin = await startContainerdTwin(path);
  const containerd = openContainerd(path);
  t.teardown(async () => {
    containerd.close();
    await twin.stop();
    await rm(folder, { recursive: true });
  });
  return { ...containerd, held: twin.namespace(scope) };
}

t.test('a container is read as it was created', async (t) => {
  const { containers } = await setup(t);
  await containers.create(scope, web);
  const read = await containers.get(scope, web.id);
  t.strictSame({ ...read, runtime: undefined }, { ...web, runtime: undefined });
  t.match(read?.runtime, { name: web.runtime.name, options: { typeUrl: 'containerd.runc.v1.Options' } });
  t.strictSame([...read!.runtime.options!.value], [8, 1]);
  await t.rejects(containers.create(scope, web), { name: 'ContainerdError', kind: 'exists' });
  await containers.delete(scope, web.id);
  t.equal(await containers.get(scope, web.id), undefined);
});

t.test("a container is found by its id, by the beginning of it, and by nerdctl's name", async (t) => {
  const { containers } = await setup(t);
  await containers.create(scope, web);
  await containers.create(scope, { ...web, id: 'web-10', labels: {} });
  const found = async (name: string) => (await containers.find(scope, name)).map(({ id }) => id);
  t.strictSame(await found('web-1'), ['web-1'], 'not the longer one');
  t.strictSame(await found('web-'), ['web-1', 'web-10']);
  t.strictSame(await found('web'), ['web-1', 'web-10'], 'a name and a beginning are both meant');
  t.strictSame(await found('w.b-1'), []);
  t.strictSame(await found('web-1,"'), []);
});

t.test('the layers below a snapshot are listed lowest first', async (t) => {
  const { snapshots, held } = await setup(t);
  held.snapshots.set(low, { parent: '' }).set(high, { parent: low }).set('upper', { parent: high });
  t.strictSame(await snapshots.chainOf(scope, 'forage', 'upper'), [low, high]);
  held.snapshots.set('committed', { parent: low }).set('upper', { parent: 'committed' });
  await t.rejects(snapshots.chainOf(scope, 'forage', 'upper'), { message: /committed is no layer/ });
  await t.rejects(snapshots.chainOf(scope, 'forage', 'other'), {
    name: 'ContainerdError',
    kind: 'not-found',
  });
});

t.test('a layer that the snapshotter has is known afterwards, and the lease holds it', async (t) => {
  const { snapshots, leases, held } = await setup(t);
  held.offered.add(low).add(middle);
  const lease = await leases.create(scope);
  const leased = { namespace: scope, lease: lease.id };
  t.ok(await snapshots.offer(leased, 'forage', low, ''));
  t.ok(await snapshots.offer(leased, 'forage', low, ''), 'again: it is there');
  t.ok(await snapshots.offer(leased, 'forage', middle, low));
  t.strictSame([...held.snapshots.keys()], [low, middle]);
  t.match(held.leases.get(lease.id)?.resources, [
    { type: 'snapshots/forage', id: low },
    { id: low },
    { id: middle },
  ]);
  await lease.release();
  t.equal(held.leases.size, 0);
});

t.test('a layer that the snapshotter does not have is not offered, and nothing of it is left', async (t) => {
  const { snapshots, held } = await setup(t);
  t.notOk(await snapshots.offer(scope, 'forage', low, ''));
  t.equal(held.snapshots.size, 0);
  await t.rejects(
    snapshots.offer(scope, 'forage', high, low),
    { name: 'ContainerdError', kind: 'not-found' },
    'without the one below',
  );
});

t.test('a layer that two ask for at once is not taken to be there', async (t) => {
  const { snapshots, held } = await setup(t);
  const offers = Array.from({ length: 8 }, () => snapshots.offer(scope, 'forage', low, ''));
  t.strictSame(new Set(await Promise.all(offers)), new Set([false]));
  t.equal(held.snapshots.size, 0);
});

t.test('a task ends in whatever state it is', async (t) => {
  const { containers, tasks, held } = await setup(t);
  await containers.create(scope, web);
  const { options } = web.runtime;
  const begin = () => tasks.create(scope, { id: web.id, rootfs: [], options: options!, hasTerminal: false });
  const states = {
    created: async () => {},
    running: async () => void (await tasks.start(scope, web.id)),
    paused: async () => {
      await tasks.start(scope, web.id);
      await tasks.pause(scope, web.id);
    },
    stopped: async () => {
      await tasks.start(scope, web.id);
      await tasks.kill(scope, web.id);
    },
  };
  await tasks.end(scope, web.id);
  for (const [state, reach] of Object.entries(states)) {
    await begin();
    await reach();
    t.equal(await tasks.state(scope, web.id), state);
    await tasks.end(scope, web.id);
    t.equal(await tasks.state(scope, web.id), undefined);
  }
  t.equal(held.tasks.size, 0);
});

t.test('a restore that goes on though it was given up is ended when it is through', async (t) => {
  const { containers, tasks, held } = await setup(t);
  await containers.create(scope, web);
  await tasks.create(scope, { id: web.id, rootfs: [], options: web.runtime.options!, hasTerminal: false });
  const task = held.tasks.get(web.id)!;
  task.state = Status.UNKNOWN;
  const ending = tasks.end(scope, web.id);
  await sleep(250);
  t.equal(held.tasks.size, 1);
  task.state = Status.RUNNING;
  await ending;
  t.equal(held.tasks.size, 0);
});
