import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { scratch } from '../blocks/testing.ts';
import { dumpOptions } from './dump-options.ts';

t.test(
  "watches are looked for in all of the container's folders but the kernel's, in large ones last",
  async (t) => {
    const root = join(scratch(t), 'root');
    for (const name of ['var', 'usr', 'app', 'proc', 'sys', 'dev', 'a b'])
      await mkdir(join(root, name), { recursive: true });
    await symlink('usr/bin', join(root, 'bin'));
    await writeFile(join(root, 'file'), '');
    const path = join(root, 'criu.conf');
    t.same(await dumpOptions(root, path), { CRIU_CONFIG_FILE: path });
    const scanned = [...(await readFile(path, 'utf8')).matchAll(/^irmap-scan-path (.*)$/gm)].map(
      ([, name]) => name,
    );
    t.same(scanned, ['/app', '/var', '/usr']);
  },
);
