/**
 * The image that holds, in a few layers, everything that a layer may hold and containerd accepts: all kinds of
 * files, odd names, owners and times in the first; every way of changing what lies below in the later ones.
 */
import { dir, file, hardlink, lines, noise, opaque, symlink, whiteout } from './entries.ts';
import type { TarEntry } from './tar.ts';

/** `cap_net_bind_service=ep` as the kernel keeps it (revision 2). */
export const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');

/** The lowest layer: what there can be. */
export function* kinds(): Generator<TarEntry> {
  yield dir('./', { mode: 0o710, uid: 12, xattrs: { 'user.root': 'root' } });
  yield* modes();
  yield* specialFiles();
  yield* links();
  yield* contents();
  yield* ownersAndTimes();
  yield* names();
}

function* modes(): Generator<TarEntry> {
  yield dir('modes/');
  for (const mode of [0, 0o111, 0o600, 0o644, 0o755, 0o4755, 0o2755, 0o6755, 0o1644, 0o7777])
    yield file(`modes/file-${mode.toString(8)}`, 'x', { mode, uid: 1000, gid: 100 });
  for (const mode of [0, 0o700, 0o1777, 0o2775, 0o7777]) yield dir(`modes/dir-${mode.toString(8)}`, { mode });
  yield dir('xattrs/', { xattrs: { 'user.of-a-directory': 'yes' } });
  yield file('xattrs/capability', 'x', { mode: 0o755, xattrs: { 'security.capability': capability } });
  yield file('xattrs/several', 'x', {
    xattrs: {
      'user.b': 'second',
      'user.a': 'first',
      'user.empty': '',
      'user.bytes': Buffer.from([0, 255, 10, 61]),
    },
  });
  yield file('xattrs/long', 'x', {
    xattrs: { 'user.long': noise(2000, 1), [`user.${'n'.repeat(250)}`]: 'long name' },
  });
  for (let n = 0; n < 20; n++)
    yield file(`xattrs/same-${n}`, 'x', { xattrs: { 'user.shared': lines(200, 0) } });
  yield symlink('xattrs/symlink', 'several', { xattrs: { 'user.ignored': 'not allowed on a symlink' } });
}

function* specialFiles(): Generator<TarEntry> {
  yield dir('special/');
  yield { name: 'special/null', type: 'char', dev: [1, 3], mode: 0o666 };
  yield { name: 'special/block', type: 'block', dev: [7, 200], mode: 0o660, gid: 6 };
  yield { name: 'special/large-numbers', type: 'char', dev: [4095, 1048575], mode: 0o600 };
  yield { name: 'special/fifo', type: 'fifo', mode: 0o622 };
}

function* links(): Generator<TarEntry> {
  yield dir('links/');
  yield symlink('links/absolute', '/modes/file-644');
  yield symlink('links/relative', '../modes/file-644');
  yield symlink('links/dangling', 'nowhere/at/all');
  yield symlink('links/self', 'self');
  for (const length of [59, 60, 255, 1024, 4000]) yield symlink(`links/long-${length}`, 'l'.repeat(length));
  yield file('links/first', 'one file, four names', { mode: 0o640, xattrs: { 'user.linked': 'yes' } });
  for (const name of ['a', 'b', 'z'])
    yield hardlink(`links/${name}`, 'links/first', { mode: 0o640, xattrs: { 'user.linked': 'yes' } });
  yield hardlink('links/of-symlink', 'links/dangling', { mode: 0o777 });
  yield hardlink('links/of-fifo', 'special/fifo', { mode: 0o622 });
  yield hardlink('modes/of-another-directory', '/links/first', { mode: 0o640 });
}

function* contents(): Generator<TarEntry> {
  yield dir('contents/');
  for (const size of [0, 1, 4095, 4096, 4097, 65535, 65536, 65537, 1 << 20]) {
    yield file(`contents/text-${size}`, lines(size, size));
    yield file(`contents/noise-${size}`, noise(size, size));
  }
  yield file('contents/zeros', Buffer.alloc(3 << 20));
  yield file(
    'contents/holes',
    Buffer.concat([lines(5000, 1), Buffer.alloc(2 << 20), noise(5000, 2), Buffer.alloc(9999)]),
  );
  yield file('contents/mixed', Buffer.concat([lines(70000, 1), noise(70000, 2), lines(70000, 3)]));
  yield dir('contents/many/');
  for (let n = 0; n < 1500; n++) yield file(`contents/many/${noise(9, n).toString('hex')}`, `${n}`);
  yield dir('contents/empty/');
  yield dir(`contents/${Array.from({ length: 40 }, (_, n) => `d${n}`).join('/')}`);
}

function* ownersAndTimes(): Generator<TarEntry> {
  yield dir('owners/', { uid: 70000, gid: 70000 });
  for (const id of [1, 65535, 65536, 2097152, 2147483648, 4294967294])
    yield file(`owners/${id}`, 'x', { uid: id, gid: 4294967294 - id });
  yield dir('times/', { mtime: '1234567890.987654321' });
  for (const time of ['-1', '-86400.5', '0', '0.000000001', '1.5', '2147483647', '2147483648', '4294967296'])
    yield file(`times/${time}`, 'x', { mtime: time });
  yield file('times/nanoseconds', 'x', { mtime: '1700000000.123456789' });
  yield file('times/far', 'x', { mtime: '9000000000.999999999' });
  yield symlink('times/symlink', 'far', { mtime: '1600000000.5' });
  yield dir('times/dir', { mtime: '2500000000.000000007' });
}

function* names(): Generator<TarEntry> {
  yield dir('names/');
  const odd = [
    'ümläut',
    'u\u0308 combining',
    '日本語',
    '🫐',
    ' leading space',
    'trailing space ',
    'new\nline',
    'tab\t',
  ];
  const shell = [
    '*',
    '?',
    '$HOME',
    '`id`',
    'back\\slash',
    '"quotes\'',
    '-rf',
    '#',
    'a=b',
    '...',
    '.hidden',
    '~',
    '%s',
  ];
  for (const name of [...odd, ...shell, 'n'.repeat(255)]) yield file(`names/${name}`, name);
  yield file(Buffer.from('names/\xff\xfe bytes', 'latin1'), 'not UTF-8');
  yield file(Buffer.from('names/\x01\x7f\x80 control', 'latin1'), 'control characters');
  yield file(
    `names/${Array.from({ length: 9 }, (_, n) => String(n).repeat(150)).join('/')}/deep`,
    'long path',
  );
  yield file('./names/dot-slash', 'x');
  yield file('/names/slash', 'x');
  yield file('names//two-slashes', 'x');
  yield file('names/./dot/../dot-dot', 'x');
  yield dir('names/no-slash-at-the-end');
  yield file('names/twice', 'first', { mode: 0o600, xattrs: { 'user.first': 'gone' } });
  yield file('names/twice', 'the second one stays', { mode: 0o644 });
  yield dir('names/dir-twice/', { mode: 0o700, xattrs: { 'user.first': 'stays' } });
  yield file('names/dir-twice/inside', 'stays');
  yield dir('names/dir-twice/', { mode: 0o755, xattrs: { 'user.second': 'stays too' } });
}

/** What the next two layers change; each folder is one case. */
export function* toBeChanged(): Generator<TarEntry> {
  for (const name of [
    'deleted',
    'opaque',
    'opaque-late',
    'opaque-empty',
    'parents',
    'turned',
    'back',
    'kept',
  ]) {
    yield dir(`change/${name}/`, {
      mode: 0o750,
      uid: 33,
      xattrs: { 'user.case': name },
      mtime: '1500000000.5',
    });
    yield dir(`change/${name}/dir/`, { mode: 0o2755, gid: 33 });
    yield file(`change/${name}/dir/file`, `${name} below`);
    yield file(`change/${name}/file`, `${name} below`, { mode: 0o4755 });
    yield symlink(`change/${name}/symlink`, 'file');
    yield { name: `change/${name}/fifo`, type: 'fifo' };
  }
}

export function* changes(): Generator<TarEntry> {
  for (const name of ['file', 'symlink', 'fifo', 'dir', 'never-was'])
    yield whiteout(`change/deleted/${name}`);
  yield opaque('change/opaque');
  yield dir('change/opaque/', { mode: 0o711 });
  yield file('change/opaque/new', 'the only one');
  yield dir('change/opaque-late/', { mode: 0o755 });
  yield file('change/opaque-late/dir/new', 'before the mark');
  yield opaque('change/opaque-late');
  yield opaque('change/opaque-empty');
  yield* turned();
  // No entry for a parent: those below keep their attributes, those that are nowhere get containerd's.
  yield file('change/parents/dir/new', 'x');
  yield file('change/parents/nowhere/to/be/found', 'x');
  yield file('brand/new/path', 'x');
}

function* turned(): Generator<TarEntry> {
  yield file('change/turned/dir', 'was a directory');
  yield dir('change/turned/file', { mode: 0o755 });
  yield file('change/turned/file/inside', 'was a file');
  yield dir('change/turned/symlink', { mode: 0o755 });
  yield symlink('change/turned/fifo', 'dir');
  yield whiteout('change/back/dir');
  yield whiteout('change/back/file');
  yield file('change/kept/file', 'replaced, without its mode');
}

/** A layer above those: what was deleted is there again, what was turned is turned back. */
export function* changesAgain(): Generator<TarEntry> {
  yield file('change/back/dir/new', 'nothing of the first comes back');
  yield file('change/back/file', 'again');
  yield dir('change/turned/dir', { mode: 0o700 });
  yield file('change/turned/dir/again', 'a directory again');
  yield file('change/turned/file', 'a file again');
  yield file('change/opaque/dir/file', 'above an opaque directory, which hid one of this name');
  yield dir('change/deleted/', { mode: 0o555, mtime: '1600000000' });
  yield whiteout('change/parents/dir/new');
}
