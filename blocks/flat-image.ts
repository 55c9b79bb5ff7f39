/**
 * Writes the head of an EROFS image that holds one flat folder: superblock, root directory, inodes, and a map for each file that tells page
 * by page where in the image its data are. So pages may stand in any order, and whoever makes the image writes nothing but the head.
 *
 * mkfs.erofs cannot do that. Source of the format: fs/erofs/erofs_fs.h of Linux 6.12; the test mounts what is made here.
 */
import { PAGE_BYTES } from './types.ts';

export interface FlatFile {
  name: string;
  sizeBytes: number;
}

export interface Placed extends FlatFile {
  /** The image's page for each of the file's, or `HOLE`. */
  pages: Uint32Array;
}

/** A page of zeros that is nowhere. */
export const HOLE = 0xffff_ffff;

export const SUPER_OFFSET = 1024;
export const MAGIC = 0xe0f5e1e2;
const CHUNKED_FILES = 0x04;
export const INODES_PAGE = 1;
const INODE_BYTES = 64;
export const UNIT = 32;
/** Inode number 0 means "none" to some programs. */
export const ROOT_NID = 2;
export const DIRENT_BYTES = 12;
const MODE = { directory: 0o040700, file: 0o100600 };
export const TYPE = { directory: 2, file: 1 };
/** i_format: the extended form, and where the data are. */
export const FORMAT = { directory: 1 | (0 << 1), file: 1 | (4 << 1) };

/** How many pages the head of an image with these files takes. */
export function headPages(files: readonly FlatFile[]): number {
  const { directoryPage, directory } = layoutOf(files);
  return directoryPage + directory.length;
}

/** `imagePages`: of the head and all that the files' maps name. */
export function flatHead(files: readonly Placed[], imagePages: number, uuid: string): Buffer {
  const { nids, directoryPage, directory } = layoutOf(files);
  const head = Buffer.alloc((directoryPage + directory.length) * PAGE_BYTES);
  writeSuperblock(head, { inodes: files.length + 1, imagePages, uuid });
  const directoryBytes = directory.reduce((sum, page, i) => {
    page.copy(head, (directoryPage + i) * PAGE_BYTES);
    return i === directory.length - 1 ? sum + page.length : sum + PAGE_BYTES;
  }, 0);
  writeInode(head, { nid: ROOT_NID, type: 'directory', sizeBytes: directoryBytes, union: directoryPage });
  files.forEach(({ sizeBytes, pages }, i) => {
    writeInode(head, { nid: nids[i]!, type: 'file', sizeBytes, union: 0 });
    let at = mapOffset(nids[i]!);
    for (const page of pages) at = head.writeUInt32LE(page, at);
  });
  return head;
}

export function pagesOf({ sizeBytes }: FlatFile): number {
  return Math.ceil(sizeBytes / PAGE_BYTES);
}

/** Inodes and maps follow each other in the order of the files, then comes the directory. */
function layoutOf(files: readonly FlatFile[]) {
  let nid = ROOT_NID + INODE_BYTES / UNIT;
  const nids = files.map((file) => {
    const own = nid;
    nid += Math.ceil((INODE_BYTES + pagesOf(file) * 4) / UNIT);
    return own;
  });
  const directoryPage = INODES_PAGE + Math.ceil((nid * UNIT) / PAGE_BYTES);
  return { nids, directoryPage, directory: directoryOf(files, nids) };
}

/** Of the inode's map of pages. */
export function mapOffset(nid: number): number {
  return INODES_PAGE * PAGE_BYTES + nid * UNIT + INODE_BYTES;
}

interface Dirent {
  name: Buffer;
  nid: number;
  type: number;
}

/** Pages of entries in the order of their names' bytes; the kernel finds a name by halving. */
function directoryOf(files: readonly FlatFile[], nids: readonly number[]): Buffer[] {
  const self = ['.', '..'].map((name) => ({ name: Buffer.from(name), nid: ROOT_NID, type: TYPE.directory }));
  const entries = files.map(({ name }, i) => ({
    name: Buffer.from(name),
    nid: nids[i]!,
    type: TYPE.file,
  }));
  const pages: Dirent[][] = [[]];
  let bytes = 0;
  for (const entry of [...self, ...entries].sort((a, b) => Buffer.compare(a.name, b.name))) {
    const entryBytes = DIRENT_BYTES + entry.name.length;
    if (bytes + entryBytes > PAGE_BYTES) {
      pages.push([]);
      bytes = 0;
    }
    pages.at(-1)!.push(entry);
    bytes += entryBytes;
  }
  return pages.map(directoryPageOf);
}

/** The entries, then their names. Where a page has room left, a 0 ends the last name. */
function directoryPageOf(entries: readonly Dirent[]): Buffer {
  let nameAt = entries.length * DIRENT_BYTES;
  const page = Buffer.alloc(nameAt + entries.reduce((sum, { name }) => sum + name.length, 0));
  entries.forEach(({ name, nid, type }, i) => {
    const at = i * DIRENT_BYTES;
    page.writeBigUInt64LE(BigInt(nid), at);
    page.writeUInt16LE(nameAt, at + 8);
    page[at + 10] = type;
    nameAt += name.copy(page, nameAt);
  });
  return page;
}

interface Super {
  inodes: number;
  imagePages: number;
  uuid: string;
}

function writeSuperblock(head: Buffer, { inodes, imagePages, uuid }: Super): void {
  const at = head.subarray(SUPER_OFFSET);
  at.writeUInt32LE(MAGIC, 0);
  at[12] = Math.log2(PAGE_BYTES);
  at.writeUInt16LE(ROOT_NID, 14);
  at.writeBigUInt64LE(BigInt(inodes), 16);
  at.writeUInt32LE(imagePages, 36);
  at.writeUInt32LE(INODES_PAGE, 40);
  at.write(uuid.replaceAll('-', ''), 48, 'hex');
  at.writeUInt32LE(CHUNKED_FILES, 80);
}

interface InodeFields {
  nid: number;
  type: 'directory' | 'file';
  sizeBytes: number;
  /** A directory's first page; a file's size of chunks, which is one page: 0. */
  union: number;
}

/** Root's alone, time 0: what CRIU's files are on any node. */
function writeInode(head: Buffer, { nid, type, sizeBytes, union }: InodeFields): void {
  const at = head.subarray(INODES_PAGE * PAGE_BYTES + nid * UNIT);
  at.writeUInt16LE(FORMAT[type], 0);
  at.writeUInt16LE(MODE[type], 4);
  at.writeBigUInt64LE(BigInt(sizeBytes), 8);
  at.writeUInt32LE(union, 16);
  at.writeUInt32LE(nid, 20);
  at.writeUInt32LE(type === 'directory' ? 2 : 1, 44);
}
