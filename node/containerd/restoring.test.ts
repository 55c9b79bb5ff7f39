import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runc } from '../../proto/containerd.ts';
import { type Containerd, ContainerdError, openContainerd } from './containerd.ts';
import { type NewRestore, offerAhead, removeContainer, restoreContainer } from './restoring.ts';
import { runcOptions } from './runc-options.ts';
import { startContainerdTwin } from './twin.ts';

type Client = Pick<Containerd, 'containers' | 'leases' | 'snapshots' | 'tasks'>;

const [low, high] = ['a', 'b'].map((name) => `sha256:${createHash('sha256').update(name).digest('hex')}`) as [
  string,
  string,
];
const { signal } = new AbortController();
const order: NewRestore = {
  container: {
    id: 'web',
    image: 'busybox:latest',
    labels: { app: 'counter' },
    runtime: { name: 'io.containerd.runc.v2', options: runcOptions(undefined, '/usr/bin/other', '') },
    spec: Buffer.from('{"ociVersion":"1.1.0"}'),
    snapshotter: 'forage',
  },
  chainIds: [low, high],
  binary: '/usr/bin/forage-runc',
  imagePath: '/run/images',
  onMissing: async (chainId) => {
    throw new Error(`nobody has ${chainId}`);
  },
};

async function setup(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-restoring-'));
  const path = join(folder, 'c.sock');
  const twin = await startContainerdTwin(path);
  const containerd = openContainerd(path);
  t.teardown(async () => {
    containerd.close();
    await twin.stop();
    await rm(folder, { recursive: true });
  });
  const held = twin.namespace('default');
  held.offered.add(low).add(high);
  return { containerd, held };
}

type Held = Awaited<ReturnType<typeof setup>>['held'];

/** Layers apart: containerd's collector takes those that nothing is on. */
function left({ leases, snapshots, containers, tasks }: Held): string[] {
  const above = [...snapshots.keys()].filter((name) => name !== low && name !== high);
  return [...leases.keys(), ...above, ...containers.keys(), ...tasks.keys()];
}

/** `containerd` with a call that fails: before it has had its effect, or after. */
function failing(
  containerd: Client,
  [service, method]: readonly [keyof Client, string],
  when: 'before' | 'after',
): Client {
  const calls: Record<string, unknown> = { ...containerd[service] };
  const call = calls[method] as (...args: unknown[]) => Promise<unknown>;
  calls[method] = async (...args: unknown[]) => {
    if (when === 'after') await call(...args);
    throw new ContainerdError('failed', `${method} has failed`, undefined);
  };
  return { ...containerd, [service]: calls };
}

t.test('a container of a checkpoint runs on its layers, under our runtime', async (t) => {
  const { containerd, held } = await setup(t);
  await restoreContainer(containerd, 'default', Promise.resolve(order), signal);

  const container = await containerd.containers.get('default', 'web');
  t.match(container, {
    id: 'web',
    image: 'busybox:latest',
    labels: { app: 'counter' },
    snapshotter: 'forage',
  });
  t.strictSame(await containerd.snapshots.chainOf('default', 'forage', container!.snapshotKey), [low, high]);
  const own = runc.Options.deserializeBinary(container!.runtime.options!.value);
  t.strictSame([own.getBinaryName(), own.getCriuImagePath()], [order.binary, '']);

  t.equal(await containerd.tasks.state('default', 'web'), 'running');
  const { created } = held.tasks.get('web')!;
  const options = runc.Options.deserializeBinary(created.getOptions()!.getValue_asU8());
  t.strictSame([options.getBinaryName(), options.getCriuImagePath()], [order.binary, '/run/images']);
  t.match(created.getRootfsList()[0]?.getOptionsList(), [`upperdir=/${container!.snapshotKey}`]);
  t.equal(created.getTerminal(), false);
  t.equal(held.leases.size, 0);
});

t.test('a container with a terminal gets one again', async (t) => {
  const { containerd, held } = await setup(t);
  const spec = Buffer.from('{"ociVersion":"1.1.0","process":{"terminal":true}}');
  const withTerminal = { ...order, container: { ...order.container, spec } };
  await restoreContainer(containerd, 'default', Promise.resolve(withTerminal), signal);
  t.equal(held.tasks.get('web')!.created.getTerminal(), true);
});

t.test('a missing layer is named, and asked for again if that is wished', async (t) => {
  const { containerd, held } = await setup(t);
  held.offered.delete(high);
  await t.rejects(restoreContainer(containerd, 'default', Promise.resolve(order), signal), {
    message: `nobody has ${high}`,
  });
  t.strictSame(left(held), []);
  const onMissing = async (chainId: string) => void held.offered.add(chainId);
  await restoreContainer(containerd, 'default', Promise.resolve({ ...order, onMissing }), signal);
  t.equal(held.tasks.size, 1);
});

const steps = [
  ['snapshots', 'offer'],
  ['snapshots', 'prepare'],
  ['containers', 'create'],
  ['tasks', 'create'],
  ['tasks', 'start'],
] as const;

for (const step of steps) {
  for (const when of ['before', 'after'] as const) {
    t.test(`nothing is left when ${step.join(' ')} fails ${when} its effect`, async (t) => {
      const { containerd, held } = await setup(t);
      const attempt = restoreContainer(
        failing(containerd, step, when),
        'default',
        Promise.resolve(order),
        signal,
      );
      await t.rejects(attempt, { message: `${step[1]} has failed` });
      t.strictSame(left(held), []);
      await restoreContainer(containerd, 'default', Promise.resolve(order), signal);
      t.equal(await containerd.tasks.state('default', 'web'), 'running', 'the next attempt succeeds');
    });
  }
}

t.test('a container of that name that is there already goes on', async (t) => {
  const { containerd, held } = await setup(t);
  await restoreContainer(containerd, 'default', Promise.resolve(order), signal);
  while (held.leases.size > 0) await new Promise(setImmediate); // which goes behind it
  const before = left(held);
  await t.rejects(restoreContainer(containerd, 'default', Promise.resolve(order), signal), {
    name: 'ContainerdError',
    kind: 'exists',
  });
  t.strictSame(left(held), before);
  t.equal(await containerd.tasks.state('default', 'web'), 'running');
});

t.test('an abort while it is restored leaves nothing', async (t) => {
  const { containerd, held } = await setup(t);
  const ending = new AbortController();
  const start: Client['tasks']['start'] = async (scope, id, by) => {
    await containerd.tasks.start(scope, id, by);
    ending.abort(new Error('not wanted any more'));
    throw by?.reason;
  };
  const slow = { ...containerd, tasks: { ...containerd.tasks, start } };
  await t.rejects(restoreContainer(slow, 'default', Promise.resolve(order), ending.signal), {
    message: 'not wanted any more',
  });
  t.strictSame(left(held), []);
});

t.test('where a task cannot be ended, its container stays, and that is said', async (t) => {
  const { containerd, held } = await setup(t);
  const broken = failing(failing(containerd, ['tasks', 'start'], 'after'), ['tasks', 'end'], 'before');
  await t.rejects(restoreContainer(broken, 'default', Promise.resolve(order), signal), {
    message: 'start has failed; what was made of it is left: end has failed',
  });
  t.strictSame([held.containers.size, held.tasks.size, held.leases.size], [1, 1, 0]);
});

t.test('a container that has ended is removed with all that was made for it', async (t) => {
  const { containerd, held } = await setup(t);
  await restoreContainer(containerd, 'default', Promise.resolve(order), signal);
  const made = (await containerd.containers.get('default', 'web'))!;
  await containerd.tasks.kill('default', 'web');
  await removeContainer(containerd, 'default', made);
  t.strictSame(left(held), []);
  await restoreContainer(containerd, 'default', Promise.resolve(order), signal);
  await removeContainer(containerd, 'default', made);
  t.equal(await containerd.tasks.state('default', 'web'), 'running', 'not another one of its name');
});

t.test(
  'layers that are offered ahead are held by a lease; none is left where one of them is missing',
  async (t) => {
    const { containerd, held } = await setup(t);
    const layers = { ...order, snapshotter: 'forage' };
    const lease = await offerAhead(containerd, 'default', layers, signal);
    t.equal(held.leases.size, 1);
    await restoreContainer(containerd, 'default', Promise.resolve(order), signal);
    await lease.release();
    t.equal(held.leases.size, 0);
    await t.rejects(
      offerAhead(containerd, 'default', { ...layers, chainIds: [low, 'sha256:other'] }, signal),
      {
        message: 'nobody has sha256:other',
      },
    );
    t.equal(held.leases.size, 0);
  },
);
