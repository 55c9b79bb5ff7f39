/**
 * Layers that few tools write, one oddity an image, so that a difference is named by the image that shows it.
 * What containerd makes of each was read in its source (`pkg/archive/tar.go`) and is judged by its overlayfs tree.
 */
import { dir, file, hardlink, lines, opaque, symlink, whiteout } from './entries.ts';
import { endOfArchive, header, padded, paxRecord, type TarEntry, withChecksum } from './tar.ts';

export interface Quirk {
  /** The layers, from the bottom up; they lie upon a busybox. */
  layers: (() => Iterable<TarEntry>)[];
  /** What follows the last entry of each, if not the usual two zero blocks. */
  end?: Buffer;
  /** Why containerd refuses the image. */
  refused?: string;
}

export const quirks: Record<string, Quirk> = {
  'hardlink-lower': {
    layers: [() => [file('below', 'one file')], () => [hardlink('above', 'below')]],
    refused: 'the target of a hard link must be in the same layer',
  },
  'hardlink-attributes': {
    // The header of a link changes the file that all its names share.
    layers: [
      () => [
        dir('h/'),
        file('h/file', 'x', { mode: 0o600, mtime: '1000000000', xattrs: { 'user.file': 'stays' } }),
        hardlink('h/link', 'h/file', {
          mode: 0o4755,
          uid: 5,
          mtime: '1100000000.25',
          xattrs: { 'user.link': 'added' },
        }),
      ],
    ],
  },
  'duplicate-kinds': {
    layers: [
      () => [
        ...[
          file('d/file-then-dir', 'x'),
          dir('d/file-then-dir/', { mode: 0o711 }),
          file('d/file-then-dir/in', 'x'),
        ],
        ...[file('d/file-then-symlink', 'x'), symlink('d/file-then-symlink', 'elsewhere')],
        ...[
          symlink('d/symlink-then-file', '/bin/busybox'),
          file('d/symlink-then-file', 'does not go through it'),
        ],
        ...[
          file('d/linked', 'first'),
          hardlink('d/link', 'd/linked'),
          file('d/linked', 'second; the link keeps the first'),
        ],
        // The time of the directory is set at the end, upon the file that took its place.
        ...[
          dir('d/dir-then-file/', { mtime: '1200000000' }),
          file('d/dir-then-file', 'x', { mtime: '1300000000' }),
        ],
      ],
    ],
  },
  'through-symlink': {
    layers: [
      () => [
        dir('real/'),
        symlink('name', 'real'),
        file('name/file', 'in real'),
        symlink('abs', '/real'),
        file('abs/2', ''),
      ],
    ],
  },
  'symlink-shadowed': {
    // A directory takes the place of the symlink below, for containerd looks for parents in the new layer only.
    layers: [
      () => [dir('real/', { mode: 0o701, uid: 7 }), file('real/old', 'x'), symlink('name', 'real')],
      () => [file('name/new', 'x')],
    ],
  },
  'opaque-parents': {
    layers: [
      () => [dir('o/'), dir('o/dir/', { mode: 0o707, uid: 9 }), file('o/dir/hidden', 'x')],
      () => [dir('o/'), opaque('o')],
      () => [file('o/dir/new', 'x')],
    ],
  },
  'whiteout-then-dir': {
    layers: [
      () => [dir('w/'), dir('w/dir/'), file('w/dir/old', 'x'), file('w/file', 'old')],
      () => [
        whiteout('w/dir'),
        dir('w/dir/', { mode: 0o705 }),
        file('w/dir/new', 'x'),
        whiteout('w/file'),
        file('w/file', 'new'),
      ],
    ],
  },
  'whiteout-of-sibling': {
    layers: [
      () => [file('s/a', 'x'), file('s/b', 'x')],
      () => [whiteout('s/a'), file('s/c', 'x'), whiteout('/bin/vi')],
    ],
  },
  'whiteout-after-file': {
    layers: [() => [file('x/file', 'x'), whiteout('x/file')]],
    refused: 'a whiteout of what the same layer has written',
  },
  'device-zero': {
    layers: [
      () => [
        dir('z/'),
        { name: 'z/zero', type: 'char', dev: [0, 0] },
        { name: 'z/block', type: 'block', dev: [0, 0] },
      ],
    ],
  },
  'aufs-leftovers': {
    layers: [() => [file('.wh..wh.aufs'), dir('.wh..wh.plnk/'), file('a/.wh..wh.orph', '')]],
  },
  'sparse-pax': { layers: [() => [sparsePax('sparse/file')]] },
  'sparse-gnu': {
    layers: [() => [sparseGnu('sparse/file')]],
    refused: "GNU's old kind of sparse entry is unknown to it",
  },
  'tar-dialects': {
    layers: [
      () => [
        globalHeader(),
        oldFile('old/v7'),
        gnuLongName(`gnu/${'long/'.repeat(40)}name`),
        largeNumbers('base256'),
      ],
    ],
    // Bytes after the end are part of the diffID all the same.
    end: Buffer.concat([endOfArchive, Buffer.alloc(7 * 512), Buffer.from('left over'.padEnd(512))]),
  },
  'no-end': { layers: [() => [file('end/none', 'the archive just stops')]], end: Buffer.alloc(0) },
  'empty-layers': { layers: [() => [], () => [file('between', 'x')], () => [], () => []] },
};

/** A sparse file as GNU tar writes it in the pax format, version 1.0: a map of the data, then the data. */
function sparsePax(name: string): TarEntry {
  const data = lines(1000, 1);
  const map = Buffer.from('2\n4096\n1000\n1048576\n0\n');
  return file('GNUSparseFile.0/file', Buffer.concat([padded(map), data]), {
    pax: {
      'GNU.sparse.major': '1',
      'GNU.sparse.minor': '0',
      'GNU.sparse.name': name,
      'GNU.sparse.realsize': '1048576',
    },
  });
}

/** The same file as GNU tar writes it in its own format: the map inside the header. */
function sparseGnu(name: string): TarEntry {
  const data = lines(1000, 1);
  const block = header({ name }, 'S', data.length);
  block.write('ustar  \0', 257, 'latin1');
  const octal = (value: number, at: number) => block.write(value.toString(8).padStart(11, '0'), at, 'latin1');
  octal(4096, 386);
  octal(1000, 398);
  octal(1048576, 483);
  return { name, raw: Buffer.concat([withChecksum(block), padded(data)]) };
}

function globalHeader(): TarEntry {
  const records = paxRecord('comment', Buffer.from('as `git archive` writes it'));
  return {
    name: '',
    raw: Buffer.concat([header({ name: 'pax_global_header' }, 'g', records.length), padded(records)]),
  };
}

/** The format of 1979: no magic, and a zero byte for "regular file". */
function oldFile(name: string): TarEntry {
  const block = header({ name }, '\0', 3);
  block.fill(0, 257);
  return { name, raw: Buffer.concat([withChecksum(block), padded(Buffer.from('old'))]) };
}

function gnuLongName(name: string): TarEntry {
  const bytes = Buffer.from(`${name}\0`);
  const gnu = (entry: TarEntry, flag: string, size: number) => {
    const block = header(entry, flag, size);
    block.write('ustar  \0', 257, 'latin1');
    return withChecksum(block);
  };
  return {
    name,
    raw: Buffer.concat([
      gnu({ name: '././@LongLink' }, 'L', bytes.length),
      padded(bytes),
      gnu({ name }, '0', 0),
    ]),
  };
}

/** Owner and size in GNU's binary form. */
function largeNumbers(name: string): TarEntry {
  const block = header({ name }, '0', 3);
  block.fill(0, 108, 116).writeUInt32BE(3_000_000_000, 112);
  block.fill(0, 124, 136).writeUInt32BE(3, 132);
  block[108] = 0x80;
  block[124] = 0x80;
  return { name, raw: Buffer.concat([withChecksum(block), padded(Buffer.from('256'))]) };
}
