import { execFileSync } from 'node:child_process';
import t from 'tap';
import { type TarName, tarNames } from '../../integration/lib/tar-names.ts';
import { listTree } from '../../integration/lib/tree.ts';
import { dir, file, hardlink, symlink } from './entries.ts';
import { quirks } from './quirks.ts';
import { type TarEntry, tarBytes } from './tar.ts';
import { changes, kinds } from './torture.ts';

const tarOf = (entries: Iterable<TarEntry>): Buffer => Buffer.concat([...tarBytes(entries)]);

t.test('what is written is what GNU tar extracts', async (t) => {
  const root = t.testdir();
  const name = `${'long/'.repeat(50)}näme`;
  const entries = [
    dir('d', { mode: 0o2711, uid: 3_000_000_000, mtime: '1600000000.000000001' }),
    file('d/file', 'hello', { mode: 0o4750, xattrs: { 'user.b': Buffer.from([0, 10, 255]), 'user.a': '' } }),
    hardlink('d/again', 'd/file', { mode: 0o4750 }),
    symlink('link', 'l'.repeat(300)),
    { name: 'device', type: 'char', dev: [1, 3], mtime: '-1.5' } as const,
    file(name, 'deep'),
  ];
  execFileSync('tar', ['-x', '--xattrs', '--xattrs-include=*', '-p', '-C', root], { input: tarOf(entries) });
  const tree = new Map(listTree(root).map((entry) => [entry.path, entry]));
  t.match(tree.get('d'), { mode: '2711', uid: 3_000_000_000, mtime: '1600000000.000000001' });
  t.match(tree.get('d/file'), { mode: '4750', sizeBytes: 5, xattrs: { 'user.a': '', 'user.b': '000aff' } });
  t.equal(tree.get('d/file')?.linkedWith, 'd/again');
  t.equal(tree.get('link')?.target, 'l'.repeat(300));
  t.match(tree.get('device'), { type: 'char', device: '1:3', mtime: '-2.500000000' });
  t.ok(tree.has(name.replace('ä', '\\xc3\\xa4')));
});

t.test('crafted layers are the same each time, and every entry can be read', async (t) => {
  const layers = {
    kinds,
    changes,
    ...Object.fromEntries(Object.entries(quirks).map(([name, { layers }]) => [name, layers[0]!])),
  };
  for (const [name, entries] of Object.entries(layers)) {
    const bytes = tarOf(entries());
    t.ok(bytes.equals(tarOf(entries())), `${name} twice`);
    t.equal(bytes.length % 512, 0, `${name} in whole blocks`);
    const names: TarName[] = [];
    for await (const found of tarNames(onePiece(bytes))) names.push(found);
    const expected = [...entries()].filter((entry) => entry.name !== '').length;
    t.equal(names.length, expected, `${name}: ${expected} entries`);
  }
});

async function* onePiece(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}
