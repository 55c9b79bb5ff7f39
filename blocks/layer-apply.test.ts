import t, { type Test } from 'tap';
import { LayerApply, type LowerDirectory, UnsupportedLayerError } from './layer-apply.ts';
import { type Inode, walk } from './layer-tree.ts';
import { UnresolvablePathError } from './rooted-path.ts';
import { TarReader } from './tar-read.ts';
import type { TarRecord } from './tar-write.ts';
import { tarOf } from './testing.ts';

type Entry = TarRecord & { data?: Buffer };

const dir = (name: string, rest: Partial<Entry> = {}): Entry => ({ type: '5', name, mode: 0o755, ...rest });
const file = (name: string, rest: Partial<Entry> = {}): Entry => ({
  type: '0',
  name,
  mode: 0o644,
  data: Buffer.from(name),
  ...rest,
});
const symlink = (name: string, linkName: string): Entry => ({ type: '2', name, linkName });
const hardLink = (name: string, linkName: string, rest: Partial<Entry> = {}): Entry => ({
  type: '1',
  name,
  linkName,
  mode: 0o644,
  ...rest,
});
const time = (seconds: number, nanoseconds = 0) => ({ modified: { seconds, nanoseconds } });
const xattrs = (values: Record<string, string>) => ({
  xattrs: new Map(Object.entries(values).map(([name, value]) => [name, Buffer.from(value)])),
});

async function apply(
  entries: Entry[],
  { isLowest = false, lower = (() => undefined) as LowerDirectory } = {},
): Promise<Inode> {
  const reader = new TarReader(tarOf(entries));
  const layer = new LayerApply(isLowest, lower);
  let ordinal = 0;
  for (let entry = await reader.next(); entry; entry = await reader.next()) layer.add(entry, ordinal++);
  layer.finish();
  return layer.root;
}

/** "path type" of everything; a file shows the ordinal of its data, a symlink its target. */
function names(root: Inode): string[] {
  return [...walk(root)].map(([path, { content }]) => {
    if (content.type === 'file') return `${path} file ${content.source}`;
    if (content.type === 'symlink') return `${path} -> ${content.target}`;
    if (content.type === 'char') return `${path} char ${content.major}:${content.minor}`;
    return `${path} ${content.type}`;
  });
}

function at(root: Inode, path: string): Inode {
  const found = [...walk(root)].find(([name]) => name === path);
  if (!found) throw new Error(`no ${path}`);
  return found[1];
}

async function gives(t: Test, entries: Entry[], expected: string[], isLowest = false): Promise<Inode> {
  const root = await apply(entries, { isLowest });
  t.same(names(root), expected);
  return root;
}

t.test('names are cleaned and cannot leave the root; the root itself is ignored', async (t) => {
  const entries = [
    dir('./', { mode: 0o700 }),
    file('../x'),
    file('/abs/../y'),
    file('a/./b/../z'),
    dir('..'),
    dir('/'),
  ];
  const root = await gives(t, entries, ['a directory', 'a/z file 3', 'x file 1', 'y file 2']);
  t.equal(root.mode, 0o755);
});

t.test('symlinks in parents are followed, inside the root only', async (t) => {
  await gives(
    t,
    [dir('usr/lib'), symlink('lib', 'usr/lib'), file('lib/a'), symlink('up', '../../..'), file('up/b')],
    [
      'b file 4',
      'lib -> usr/lib',
      'up -> ../../..',
      'usr directory',
      'usr/lib directory',
      'usr/lib/a file 2',
    ],
  );
  await gives(
    t,
    [symlink('abs', '/d/e'), file('abs/f')],
    ['abs -> /d/e', 'd directory', 'd/e directory', 'd/e/f file 1'],
  );
  await t.rejects(apply([symlink('a', 'b'), symlink('b', 'a'), file('a/x')]), UnresolvablePathError);
  await t.rejects(apply([file('a'), file('a/x')]), UnsupportedLayerError);
});

t.test(
  'parents that no entry describes take the attributes of the lower layers, and the time of their first entry',
  async (t) => {
    const asked: string[] = [];
    const lower: LowerDirectory = (path) => {
      asked.push(path.join('/'));
      return path.join('/') === 'var'
        ? { mode: 0o1777, uid: 5, gid: 6, ...time(11), xattrs: new Map([['user.a', Buffer.from('b')]]) }
        : undefined;
    };
    const root = await apply([file('var/lib/x', time(77)), file('var/lib/y', time(88))], { lower });
    t.match(at(root, 'var'), { mode: 0o1777, uid: 5, gid: 6, modified: { seconds: 77 } });
    t.same([...at(root, 'var').xattrs.keys()], ['user.a']);
    t.match(at(root, 'var/lib'), { mode: 0o755, uid: 0, gid: 0, modified: { seconds: 77 } });
    t.same(asked, ['var', 'var/lib'], 'once each');
    const opaque = await apply([file('var/.wh..wh..opq', time(77))], { lower });
    t.match(at(opaque, 'var'), { modified: { seconds: 11 } }, 'nothing was put in it');
    const described = await apply([file('var/x'), dir('var', { mode: 0o700, uid: 9, ...time(99) })], {
      lower,
    });
    t.match(at(described, 'var'), { mode: 0o700, uid: 9, gid: 0, modified: { seconds: 99 } });
  },
);

t.test('the last entry of a name counts; directories merge, all else is replaced', async (t) => {
  await gives(
    t,
    [
      dir('d'),
      file('d/a'),
      dir('d', { mode: 0o700 }),
      file('f'),
      dir('f'),
      file('f/x'),
      file('f'),
      file('f'),
    ],
    ['d directory', 'd/a file 1', 'f file 7'],
  );
  await gives(
    t,
    [dir('target'), symlink('s', 'target'), dir('s'), file('s/x')],
    ['s directory', 's/x file 3', 'target directory'],
  );
});

t.test('hard links share the inode, and set its attributes again', async (t) => {
  const root = await gives(
    t,
    [
      file('a', { mode: 0o600, ...time(1), ...xattrs({ 'security.capability': 'cap', 'user.u': 'u' }) }),
      hardLink('b', '/a', { mode: 0o640, ...time(2) }),
      symlink('s', 'nowhere'),
      hardLink('t', 's'),
    ],
    ['a file 0', 'b file 0', 's -> nowhere', 't -> nowhere'],
  );
  t.equal(at(root, 'a'), at(root, 'b'));
  t.match(at(root, 'a'), { mode: 0o640, modified: { seconds: 2 } });
  t.same([...at(root, 'a').xattrs.keys()], ['user.u'], 'chown took the capability away');
  t.equal(at(root, 's'), at(root, 't'));
});

t.test('hard links to what the layer lacks, to itself or to a directory are refused', async (t) => {
  for (const entries of [
    [hardLink('a', 'lower')],
    [file('a'), hardLink('a', 'a')],
    [dir('d'), hardLink('a', 'd')],
  ]) {
    await t.rejects(apply(entries), UnsupportedLayerError);
  }
});

t.test('a replaced name does not change the inode that other names have', async (t) => {
  await gives(t, [file('a'), hardLink('b', 'a'), file('a')], ['a file 2', 'b file 0']);
});

t.test('in an overlay, whiteouts become devices 0:0 and opaque markers an xattr', async (t) => {
  const root = await gives(
    t,
    [file('d/.wh.gone', { uid: 7, gid: 8 }), file('o/.wh..wh..opq'), file('o/new'), file('.wh..wh.plnk')],
    ['.wh.plnk char 0:0', 'd directory', 'd/gone char 0:0', 'o directory', 'o/new file 2'],
  );
  t.match(at(root, 'd/gone'), { mode: 0, uid: 7, gid: 8 });
  t.same(at(root, 'o').xattrs, new Map([['trusted.overlay.opaque', Buffer.from('y')]]));
  const opaque = await apply([
    file('.wh..wh..opq'),
    dir('o'),
    file('o/.wh..wh..opq'),
    dir('o', { mode: 0o711 }),
  ]);
  t.equal(opaque.xattrs.size, 1, 'the root too');
  t.match(at(opaque, 'o'), { mode: 0o711, xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) });
});

t.test(
  'a name that is deleted and made again in one layer is made, and merges with the lower layers',
  async (t) => {
    const root = await gives(
      t,
      [file('.wh.d'), dir('d'), file('.wh.f'), file('f')],
      ['d directory', 'f file 3'],
    );
    t.equal(at(root, 'd').xattrs.size, 0);
    await t.rejects(apply([file('f'), file('.wh.f')]), UnsupportedLayerError);
    for (const name of ['.wh.', '.wh..', '.wh...'])
      await t.rejects(apply([file(name)]), UnsupportedLayerError, name);
  },
);

t.test('in the lowest layer whiteouts and opaque markers remove', async (t) => {
  await gives(t, [file('a'), file('.wh.a'), file('.wh.b')], [], true);
  await gives(
    t,
    [dir('o'), dir('o/d'), file('o/d/x'), file('o/implied/y'), file('o/.wh..wh..opq'), file('o/z')],
    ['o directory', 'o/d directory', 'o/d/x file 2', 'o/z file 5'],
    true,
  );
});

t.test(
  'times before 1970 or after 2262 become 1970; fractions stay; directories get theirs last',
  async (t) => {
    const root = await apply([
      dir('d', time(5)),
      file('d/late', time(9_300_000_000)),
      file('d/fine', time(10, 123_456_789)),
      dir('gone', time(6)),
      file('gone', time(7)),
    ]);
    t.match(at(root, 'd/late').modified, { seconds: 0, nanoseconds: 0 });
    t.match(at(root, 'd/fine').modified, { seconds: 10, nanoseconds: 123_456_789 });
    t.match(at(root, 'd').modified, { seconds: 5 });
    t.match(at(root, 'gone').modified, { seconds: 6 }, 'by name, whatever has the name');
  },
);

t.test('xattrs that unpacking skips are skipped', async (t) => {
  const all = { 'user.a': '1', 'trusted.b': '2', 'security.c': '3', 'odd.d': '4' };
  const root = await apply([
    file('f', xattrs(all)),
    dir('d', xattrs(all)),
    { ...symlink('s', 'x'), ...xattrs(all) },
    { type: '6', name: 'p', ...xattrs(all) },
  ]);
  for (const name of ['f', 'd']) t.same([...at(root, name).xattrs.keys()].sort(), ['security.c', 'user.a']);
  for (const name of ['s', 'p']) t.same([...at(root, name).xattrs.keys()], ['security.c']);
  await t.rejects(apply([file('f', xattrs({ 'system.posix_acl_access': 'x' }))]), UnsupportedLayerError);
});

t.test('kinds of entries that unpacking refuses are refused', async (t) => {
  for (const type of ['7', 'S', 'V', 'D']) {
    await t.rejects(apply([{ type: type as '0', name: 'x' }]), UnsupportedLayerError, type);
  }
  await t.rejects(
    apply([{ type: '3', name: 'x', device: { major: 5000, minor: 0 } }]),
    UnsupportedLayerError,
  );
  await t.rejects(apply([symlink('x', '')]), UnsupportedLayerError);
});

t.test('a global pax header makes its parents and no more', async (t) => {
  await gives(t, [{ type: 'g' as '0', name: 'a/global' }, file('b')], ['a directory', 'b file 1']);
});
