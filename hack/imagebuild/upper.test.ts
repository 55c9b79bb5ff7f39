import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { tarNames } from '../../integration/lib/tar-names.ts';
import { run } from '../testbed/run.ts';
import { tarOfUpper } from './upper.ts';

t.test('what was deleted, replaced and made in an overlay becomes a layer', async (t) => {
  const root = t.testdir({
    lower: {
      gone: '',
      kept: '',
      'gone-dir': { file: '' },
      replaced: { old: '' },
      dir: { file: '', other: '' },
    },
    upper: {},
    scratch: {},
  });
  const path = (name: string) => join(root, name);
  for (const name of ['work', 'merged']) mkdirSync(path(name));
  const options = `lowerdir=${path('lower')},upperdir=${path('upper')},workdir=${path('work')},redirect_dir=off`;
  const change = `
    mount -t overlay overlay -o ${options} ${path('merged')}
    cd ${path('merged')}
    rm gone; rm -r gone-dir; rm dir/file; chmod 600 dir/other
    rm -r replaced; mkdir replaced; touch replaced/new
    mkdir new new/dir; touch new/file; ln new/file new/link; touch 'new/odd
name'`;
  await run('unshare', ['--mount', 'sh', '-euc', change]);

  const names: string[] = [];
  for await (const { name } of tarNames(await tarOfUpper(path('upper'), [path('lower')], path('scratch'))))
    names.push(name);
  t.same(names, [
    ...[
      'dir/',
      'dir/other',
      'new/',
      'new/dir/',
      'new/file',
      'new/link',
      'new/odd\nname',
      'replaced/',
      'replaced/new',
    ],
    ...['dir/.wh.file', '.wh.gone', '.wh.gone-dir', 'replaced/.wh..wh..opq'],
  ]);
});

t.test('a tar that fails is a stream that fails, not a short archive', async (t) => {
  const root = t.testdir({
    upper: { file: 'x' },
    scratch: {},
    bin: { tar: '#!/bin/sh\necho half; exit 2\n' },
  });
  chmodSync(join(root, 'bin/tar'), 0o755);
  const path = process.env.PATH;
  t.teardown(() => {
    process.env.PATH = path;
  });
  process.env.PATH = `${join(root, 'bin')}:${path}`;
  const archive = await tarOfUpper(join(root, 'upper'), [], join(root, 'scratch'));
  await t.rejects(archive.toArray(), /tar/);
});
