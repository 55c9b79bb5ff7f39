import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { scratch } from '../blocks/testing.ts';
import { dumpOptions } from './dump-options.ts';

t.test(
  "watches are looked for in all of the container's folders but the kernel's, in large ones last",
  async (t) => {
    const process = scratch(t);
    const root = join(process, 'root');
    for (const name of ['var', 'usr', 'app', 'proc', 'sys', 'dev', 'a b'])
      await mkdir(join(root, name), { recursive: true });
    await symlink('usr/bin', join(root, 'bin'));
    await writeFile(join(root, 'file'), '');
    const path = join(root, 'criu.conf');
    t.same(await dumpOptions(process, path), { CRIU_CONFIG_FILE: path });
    const scanned = [...(await readFile(path, 'utf8')).matchAll(/^irmap-scan-path (.*)$/gm)].map(
      ([, name]) => name,
    );
    t.same(scanned, ['/app', '/var', '/usr']);
  },
);

t.test('packets are kept away from connections, and where there are none nothing is kept away', async (t) => {
  const process = scratch(t);
  await mkdir(join(process, 'root'));
  await mkdir(join(process, 'net'));
  const path = join(process, 'criu.conf');
  const locks = async (state: string) => {
    await writeFile(join(process, 'net/tcp'), `  sl\n   0: 0100007F:1F90 00000000:0000 ${state}\n`);
    await dumpOptions(process, path);
    return !(await readFile(path, 'utf8')).split('\n').includes('network-lock skip');
  };
  t.equal(await locks('0A'), false);
  t.equal(await locks('01'), true);
});
