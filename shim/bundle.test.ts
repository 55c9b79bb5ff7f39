import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { bringLoopbackUp, rootfsOf } from './bundle.ts';

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
  'a network of its own gets loopback before the hooks that are there, once; all else stays',
  async (t) => {
    const other = { path: '/usr/bin/nerdctl', args: ['nerdctl', 'internal', 'oci-hook'] };
    const config = {
      ociVersion: '1.2.0',
      root,
      hooks: { createRuntime: [other], poststop: [other] },
      linux: { namespaces: [{ type: 'pid' }, { type: 'network' }], cgroupsPath: '/default/c1' },
    };
    const { folder, read } = await bundle(t, config);
    await bringLoopbackUp(folder);
    await bringLoopbackUp(folder);
    const changed = (await read()) as typeof config;
    t.match(changed.hooks.createRuntime, [{ path: /loopback-up$/ }, other]);
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
    await bringLoopbackUp(folder);
    t.same(await read(), config);
  }
});
