import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { networkOf, prepareRestore, rootfsOf } from './bundle.ts';

async function bundle(t: Test, config: object): Promise<{ folder: string; read: () => Promise<unknown> }> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-bundle-'));
  t.teardown(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  return { folder, read: async () => JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) };
}

const root = { path: 'rootfs' };

t.test('the root file system is where the bundle says', async (t) => {
  const { folder } = await bundle(t, { root });
  t.equal(await rootfsOf(folder), join(folder, 'rootfs'));
  t.equal(await rootfsOf((await bundle(t, { root: { path: '/elsewhere' } })).folder), '/elsewhere');
});

t.test(
  'a network of its own gets loopback and its settings before the hooks that are there, once; all else stays',
  async (t) => {
    const other = { path: '/usr/bin/nerdctl', args: ['nerdctl', 'internal', 'oci-hook'] };
    const config = {
      ociVersion: '1.2.0',
      root,
      hooks: { createRuntime: [other], poststop: [other] },
      linux: {
        namespaces: [{ type: 'pid' }, { type: 'network' }],
        cgroupsPath: '/default/c1',
        sysctl: { 'net.core.somaxconn': '100', 'kernel.msgmax': '9000' },
      },
    };
    const { folder, read } = await bundle(t, config);
    await prepareRestore(folder, { criu: [], workPath: folder });
    await prepareRestore(folder, { criu: [], workPath: folder });
    const changed = (await read()) as typeof config;
    t.match(changed.hooks.createRuntime, [
      { path: /network-up$/, args: ['network-up', 'net.core.somaxconn=100'] },
      other,
    ]);
    t.equal(changed.hooks.createRuntime.length, 2);
    t.same({ ...changed, hooks: config.hooks }, config);
    t.same(changed.hooks.poststop, [other]);
    t.same(await readdir(folder), ['config.json']);
  },
);

t.test('a network that somebody else has made is left alone, and so is the machine itself', async (t) => {
  for (const namespaces of [[{ type: 'network', path: '/run/netns/pod' }], [{ type: 'pid' }], []]) {
    const config = { root, linux: { namespaces } };
    const { folder, read } = await bundle(t, config);
    await prepareRestore(folder, { criu: [], workPath: folder });
    t.same(await read(), config);
  }
});

t.test('options of CRIU come beside those that are configured, once; all else stays', async (t) => {
  const theirs = await bundle(t, {});
  await writeFile(join(theirs.folder, 'their.conf'), 'log-level 4');
  const annotations = { 'org.criu.config': join(theirs.folder, 'their.conf'), other: 'kept' };
  const { folder, read } = await bundle(t, { root, annotations });
  await prepareRestore(folder, { criu: ['tcp-close'], workPath: folder });
  await prepareRestore(folder, { criu: ['tcp-close'], workPath: folder });
  const path = join(folder, 'criu.conf');
  t.same(await read(), { root, annotations: { 'org.criu.config': path, other: 'kept' } });
  t.equal(await readFile(path, 'utf8'), 'log-level 4\ntcp-close\n');
});

t.test('the network is where the namespaces say', async (t) => {
  const of = async (namespaces: object[]) =>
    networkOf((await bundle(t, { root, linux: { namespaces } })).folder);
  t.same(await of([{ type: 'pid' }]), { of: 'machine' });
  t.same(await of([{ type: 'network' }]), { of: 'runc' });
  t.same(await of([{ type: 'network', path: '/run/netns/pod' }]), { of: 'path', path: '/run/netns/pod' });
});
