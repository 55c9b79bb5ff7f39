import t from 'tap';
import { bindsOf, movedSpec, parseSpec, sharesNetwork } from './spec.ts';

const spec = parseSpec({
  ociVersion: '1.2.0',
  process: { args: ['web'] },
  hooks: { createRuntime: [{ path: '/usr/bin/nerdctl' }] },
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/etc/hosts', type: 'bind', source: '/var/lib/nerdctl/hosts', options: ['bind', 'rw'] },
    { destination: '/data', source: '/srv/data', options: ['rbind'] },
    { destination: '/dev/shm', type: 'tmpfs', source: 'shm' },
  ],
  linux: {
    cgroupsPath: '/default/web.1',
    namespaces: [{ type: 'pid' }, { type: 'network' }],
    resources: { memory: { limit: 7 } },
  },
});

t.test('what a container sees of its machine: bind mounts, by type or by option', async (t) => {
  t.same(bindsOf(spec), [
    { destination: '/etc/hosts', source: '/var/lib/nerdctl/hosts' },
    { destination: '/data', source: '/srv/data' },
  ]);
  t.same(bindsOf(parseSpec({ ociVersion: '1.0.0' })), []);
});

t.test('moved: its own cgroup, other files in their places, no hooks; all else stays', async (t) => {
  const moved = movedSpec(spec, 'web.1', 'web2', new Map([['/etc/hosts', '/var/lib/forage/bound/0']]));
  t.equal(moved.hooks, undefined);
  t.same(moved.linux, {
    cgroupsPath: '/default/web2',
    namespaces: [{ type: 'pid' }, { type: 'network' }],
    resources: { memory: { limit: 7 } },
  });
  t.equal(moved.mounts?.[1]?.source, '/var/lib/forage/bound/0');
  t.equal(moved.mounts?.[2]?.source, '/srv/data');
  t.same(moved.process, { args: ['web'] });
});

t.test(
  'a network namespace by path is shared; one of its own, and the machine itself, are not',
  async (t) => {
    const withNetwork = (...namespaces: object[]) =>
      parseSpec({ ociVersion: '1.2.0', linux: { namespaces } });
    t.ok(sharesNetwork(withNetwork({ type: 'pid' }, { type: 'network', path: '/run/netns/pod' })));
    t.notOk(sharesNetwork(withNetwork({ type: 'ipc', path: '/proc/7/ns/ipc' }, { type: 'network' })));
    t.notOk(sharesNetwork(withNetwork({ type: 'pid' })));
    t.notOk(sharesNetwork(parseSpec({ ociVersion: '1.2.0' })));
  },
);

t.test('a spec that is none is refused', async (t) => {
  for (const wrong of [{}, { ociVersion: 1 }, { ociVersion: '1', mounts: [{}] }, [], null])
    t.throws(() => parseSpec(wrong));
});
