/**
 * Lists a file tree, entry by entry, with everything that a container could see of it:
 *
 *     node integration/lib/tree.ts DIR > tree.jsonl
 *
 * It is also sent to nodes over standard input, so it imports nothing of ours; koffi must be found from the working
 * directory. Paths and link targets are bytes, held as latin1 strings inside and written as escaped ASCII.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, lstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import koffi from 'koffi';

export type TreeType =
  | ('file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket')
  /** Listed by its directory, but not to be found: so overlayfs shows a whiteout where there is nothing to hide. */
  | 'ghost';

export interface TreeEntry {
  /** Relative to the root, which itself is `.`; bytes outside printable ASCII as `\xNN`. */
  path: string;
  type: TreeType;
  /** Permission bits in octal, setuid and the like included. */
  mode: string;
  uid: number;
  gid: number;
  /** Seconds since 1970 with nine digits of nanoseconds. */
  mtime: string;
  /** Values in hexadecimal, in the order of the names. */
  xattrs: Record<string, string>;
  /** Of files: size and content. */
  sizeBytes?: number;
  sha256?: string;
  /** Of symlinks: where to. */
  target?: string;
  /** Of devices: `major:minor`. */
  device?: string;
  /** Of a file with several names in the tree: the first of them. */
  linkedWith?: string;
}

const READ_BYTES = 1 << 20;

/** Lists a tree in the order of its names' bytes, a directory before what it holds. */
export function listTree(root: string): TreeEntry[] {
  const entries: TreeEntry[] = [];
  const firstNames = new Map<string, TreeEntry>();
  const visit = (path: string) => {
    const absolute = Buffer.from(path === '.' ? root : `${root}/${path}`, 'latin1');
    const { entry, inode } = describe(absolute, path);
    entries.push(entry);
    if (entry.type === 'dir') {
      for (const name of readdirSync(absolute, 'latin1').sort())
        visit(path === '.' ? name : `${path}/${name}`);
      return;
    }
    const first = firstNames.get(inode);
    if (first) {
      first.linkedWith = first.path;
      entry.linkedWith = first.path;
    } else firstNames.set(inode, entry);
  };
  visit('.');
  return entries;
}

const GHOST: Omit<TreeEntry, 'path'> = { type: 'ghost', mode: '', uid: 0, gid: 0, mtime: '', xattrs: {} };

function describe(absolute: Buffer, path: string): { entry: TreeEntry; inode: string } {
  const stat = lstatSync(absolute, { bigint: true, throwIfNoEntry: false });
  if (!stat) return { entry: { ...GHOST, path: escapeBytes(path) }, inode: path };
  const type = typeOf(Number(stat.mode));
  const entry: TreeEntry = {
    path: escapeBytes(path),
    type,
    mode: (Number(stat.mode) & 0o7777).toString(8).padStart(4, '0'),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    mtime: decimalSeconds(stat.mtimeNs),
    xattrs: xattrsOf(absolute),
  };
  if (type === 'file') {
    entry.sizeBytes = Number(stat.size);
    entry.sha256 = hashOf(absolute);
  }
  if (type === 'symlink') entry.target = escapeBytes(readlinkSync(absolute, 'latin1'));
  if (type === 'char' || type === 'block') entry.device = deviceNumbers(stat.rdev);
  return { entry, inode: `${stat.dev}:${stat.ino}` };
}

const TYPES: Record<number, TreeType> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFDIR]: 'dir',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFCHR]: 'char',
  [constants.S_IFBLK]: 'block',
  [constants.S_IFIFO]: 'fifo',
  [constants.S_IFSOCK]: 'socket',
};

function typeOf(mode: number): TreeType {
  const type = TYPES[mode & constants.S_IFMT];
  if (!type) throw new Error(`no file has the mode ${mode.toString(8)}`);
  return type;
}

/** glibc's way of packing device numbers into 64 bits. */
function deviceNumbers(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}

function decimalSeconds(nanoseconds: bigint): string {
  const seconds =
    nanoseconds >= 0n ? nanoseconds / 1_000_000_000n : -((999_999_999n - nanoseconds) / 1_000_000_000n);
  return `${seconds}.${String(nanoseconds - seconds * 1_000_000_000n).padStart(9, '0')}`;
}

export function escapeBytes(latin1: string): string {
  return latin1.replace(
    /[^\x20-\x5b\x5d-\x7e]/g,
    (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

const buffer = Buffer.alloc(READ_BYTES);

function hashOf(absolute: Buffer): string {
  const hash = createHash('sha256');
  const file = openSync(absolute, 'r');
  try {
    for (;;) {
      const length = readSync(file, buffer, 0, READ_BYTES, null);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(file);
  }
}

const libc = koffi.load('libc.so.6');
const llistxattr = libc.func('int64_t llistxattr(uint8_t *path, _Out_ uint8_t *list, size_t size)');
const lgetxattr = libc.func(
  'int64_t lgetxattr(uint8_t *path, uint8_t *name, _Out_ uint8_t *value, size_t size)',
);

/** The kernel allows no longer list or value. */
const xattrBuffer = Buffer.alloc(1 << 16);
const ZERO = Buffer.alloc(1);

function xattrsOf(absolute: Buffer): Record<string, string> {
  const path = Buffer.concat([absolute, ZERO]);
  const length = Number(llistxattr(path, xattrBuffer, xattrBuffer.length));
  if (length < 0) throw new Error(`llistxattr of ${absolute}: errno ${koffi.errno()}`);
  const names = xattrBuffer.toString('latin1', 0, length).split('\0').slice(0, -1).sort();
  const xattrs: Record<string, string> = {};
  for (const name of names) {
    const size = Number(lgetxattr(path, Buffer.from(`${name}\0`, 'latin1'), xattrBuffer, xattrBuffer.length));
    if (size < 0) throw new Error(`lgetxattr ${name} of ${absolute}: errno ${koffi.errno()}`);
    xattrs[escapeBytes(name)] = xattrBuffer.toString('hex', 0, size);
  }
  return xattrs;
}

if (import.meta.main) {
  const [root] = process.argv.slice(2).filter((argument) => argument !== '-');
  if (!root) throw new Error('usage: tree.ts DIR');
  const lines = listTree(root).map((entry) => `${JSON.stringify(entry)}\n`);
  process.stdout.write(lines.join(''));
}
