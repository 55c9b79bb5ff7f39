import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { undescribedDirectories } from './layer-dirs.ts';
import { type TarName, tarNames } from './tar-names.ts';
import { listTree } from './tree.ts';
import { diffTrees } from './tree-diff.ts';

t.test('a tree is listed with everything that can be seen of it', async (t) => {
  const root = t.testdir({ dir: { 'b-file': 'hello' } });
  writeFileSync(Buffer.from(`${root}/odd\xff\n\\name`, 'latin1'), '');
  linkSync(join(root, 'dir/b-file'), join(root, 'dir/a-link'));
  symlinkSync('nowhere\n', join(root, 'symlink'));
  execFileSync('mknod', ['-m', '640', join(root, 'device'), 'b', '4095', '1048575']);
  execFileSync('mkfifo', [join(root, 'fifo')]);
  execFileSync('setfattr', ['-n', 'user.b', '-v', '0x00ff', join(root, 'dir')]);
  execFileSync('setfattr', ['-n', 'user.a', join(root, 'dir')]);
  execFileSync('touch', ['-d', '@-1.5', join(root, 'dir/b-file')]);
  execFileSync('chown', ['4294967294:70000', join(root, 'fifo')]);
  execFileSync('chmod', ['4711', join(root, 'fifo')]);

  const entries = new Map(listTree(root).map((entry) => [entry.path, entry]));
  const names = [
    '.',
    'device',
    'dir',
    'dir/a-link',
    'dir/b-file',
    'fifo',
    'odd\\xff\\x0a\\x5cname',
    'symlink',
  ];
  t.same([...entries.keys()], names);
  t.match(entries.get('dir/b-file'), {
    type: 'file',
    mtime: '-2.500000000',
    sizeBytes: 5,
    sha256: '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824',
    linkedWith: 'dir/a-link',
  });
  t.equal(entries.get('dir/a-link')?.linkedWith, 'dir/a-link');
  t.same(Object.entries(entries.get('dir')?.xattrs ?? {}), [
    ['user.a', ''],
    ['user.b', '00ff'],
  ]);
  t.match(entries.get('device'), { type: 'block', mode: '0640', device: '4095:1048575' });
  t.match(entries.get('fifo'), { type: 'fifo', mode: '4711', uid: 4294967294, gid: 70000 });
  t.match(entries.get('symlink'), { type: 'symlink', target: 'nowhere\\x0a' });
});

t.test('trees are compared field by field', async (t) => {
  const left = t.testdir({ same: 'x', content: 'x', kind: 'x', gone: 'x', dir: {} });
  const copy = join(left, '..', 'copy');
  execFileSync('cp', ['-a', left, copy]);
  t.teardown(() => execFileSync('rm', ['-r', copy]));
  t.same(diffTrees(listTree(left), listTree(copy)), [], 'a copy is equal');

  execFileSync('sh', [
    '-c',
    'cd "$0"; rm gone kind; mkdir kind; touch -r dir kind; printf y > content',
    copy,
  ]);
  utimesSync(join(copy, 'content'), 5, 5);
  utimesSync(join(copy, 'dir'), 5, 5);
  const anyMtime = new Set(['.', 'dir', 'content', 'kind']);
  const differences = diffTrees(listTree(left), listTree(copy), { anyMtime });
  const [fields, rest] = [
    /^(content|kind): (\w+)/,
    differences.map((line) => line.split(': ').slice(0, 2).join(': ')),
  ];
  t.ok(rest.includes('content: mtime'), 'the exemption is for directories only');
  t.ok(rest.includes('content: sha256') && rest.includes('kind: type'));
  t.ok(differences.includes('gone: only on the left (file)'));
  t.same(
    rest.filter((line) => !fields.test(line) && !line.startsWith('gone')),
    [],
    'and nothing else',
  );
});

async function* layer(...names: string[]): AsyncGenerator<TarName> {
  for (const name of names) yield { name, directory: name.endsWith('/') };
}

t.test('a directory whose topmost layer has no entry for it is undescribed', async (t) => {
  const undescribed = await undescribedDirectories([
    layer('./', 'a/', 'a/b/', 'a/b/file', './c/', 'implied/file', 'late/file', '/late/'),
    layer('a/b/.wh.file', './c/', 'c/file', 'odd\xff/x'),
  ]);
  t.same([...undescribed].sort(), ['.', 'a', 'a/b', 'implied', 'odd\\xff']);
});

t.test('names are read from every dialect of tar', async (t) => {
  const long = 'long/'.repeat(60);
  const root = t.testdir({ [`${'x'.repeat(90)}`]: '1', näme: 'y'.repeat(3000) });
  mkdirSync(join(root, long), { recursive: true });
  for (const format of ['v7', 'ustar', 'oldgnu', 'gnu', 'posix']) {
    const inside =
      format === 'v7'
        ? ['näme', 'x'.repeat(90)]
        : ['näme', 'x'.repeat(90), ...(format === 'ustar' ? [] : [long])];
    const tar = execFileSync('tar', ['-c', `--format=${format}`, '--no-recursion', '-C', root, ...inside]);
    const names: TarName[] = [];
    for await (const name of tarNames(inPieces(tar, 700))) names.push(name);
    const expected = inside.map((name) => ({
      name: Buffer.from(name).toString('latin1'),
      directory: name === long,
    }));
    t.same(names, expected, format);
  }
});

async function* inPieces(data: Buffer, sizeBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < data.length; at += sizeBytes) yield data.subarray(at, at + sizeBytes);
}
