/**
 * Which pages of an EROFS image hold metadata: all that the kernel reads to mount it and to walk its whole tree (names,
 * attributes, xattrs, symlinks, and where each file's data are). Found from the image's bytes alone, so that every node
 * finds the same ones; erofs.test.ts checks them against the kernel.
 *
 * Source of the format: fs/erofs/erofs_fs.h of Linux 6.12 and of erofs-utils 1.9. Everything that mkfs.erofs does not
 * make for us (other devices, 48-bit addresses, compressed metadata) is refused.
 */
import { PageSet } from './page-set.ts';
import { PAGE_BYTES } from './types.ts';

const SUPER_OFFSET = 1024;
const SUPER_BYTES = 128;
const MAGIC = 0xe0f5e1e2;
/** LZ4 padding, compression settings, chunks, second head, tail packing, fragments: what only concerns files' data. */
const KNOWN_INCOMPAT = 0x3f;
const COMPRESSION_SETTINGS = 0x02;
/** Directories and symlinks of more bytes than this are no honest mkfs's. */
const MAX_SYMLINK_BYTES = PAGE_BYTES;
const CACHED_PAGES_MAX = 1024;

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/** Where an inode's data are. */
const LAYOUT = { plain: 0, compressedFull: 1, inline: 2, compressedCompact: 3, chunks: 4 } as const;
const ADVISE_COMPACTED_2B = 0x01;
const ADVISE_INLINE_PCLUSTER = 0x08;
const CHUNK_INDEXES = 0x20;

/** An image that is cut off, inconsistent, or of a kind that we never make. */
export class BadImageError extends Error {
  constructor(why: string) {
    super(`bad EROFS image: ${why}`);
    this.name = 'BadImageError';
  }
}

interface Inode {
  mode: number;
  sizeBytes: number;
  layout: number;
  /** Start block, chunk format or compressed blocks: the inode's union. */
  union: number;
  /** Where the inode with its xattrs ends. */
  end: number;
}

/** Fills `into` from `position`; answers how much it read. */
export type ReadPage = (into: Buffer, position: number) => number;

/** Reads the image by pages. Throws `BadImageError`. */
export function metadataPages(readPage: ReadPage, sizeBytes: number): PageSet {
  return new Image(readPage, sizeBytes).walk();
}

class Image {
  readonly #readPage: ReadPage;
  readonly #sizeBytes: number;
  readonly #pages: PageSet;
  readonly #cache = new Map<number, Buffer>();
  #inodesAt = 0;
  #sharedXattrsAt = 0;
  #directoryBytes = 0;

  constructor(readPage: ReadPage, sizeBytes: number) {
    if (sizeBytes <= 0 || sizeBytes % PAGE_BYTES !== 0) throw new BadImageError(`${sizeBytes} bytes`);
    this.#readPage = readPage;
    this.#sizeBytes = sizeBytes;
    this.#pages = new PageSet(sizeBytes / PAGE_BYTES);
  }

  walk(): PageSet {
    const todo = this.#superblock();
    const seen = new Set(todo);
    for (let nid = todo.pop(); nid !== undefined; nid = todo.pop()) {
      for (const child of this.#inode(nid)) {
        if (seen.has(child)) continue;
        seen.add(child);
        todo.push(child);
      }
    }
    return this.#pages;
  }

  /** Reads a range within one page or over several, and counts it as metadata. */
  #read(offset: number, length: number): Buffer {
    this.#mark(offset, length);
    const first = Math.floor(offset / PAGE_BYTES);
    const last = Math.floor((offset + length - 1) / PAGE_BYTES);
    const start = offset - first * PAGE_BYTES;
    if (first === last) return this.#page(first).subarray(start, start + length);
    const pages: Buffer[] = [];
    for (let page = first; page <= last; page++) pages.push(this.#page(page));
    return Buffer.concat(pages).subarray(start, start + length);
  }

  #mark(offset: number, length: number): void {
    if (length < 0 || offset < 0 || offset + length > this.#sizeBytes) {
      throw new BadImageError(`${length} bytes at ${offset} are outside`);
    }
    this.#pages.addRange(offset, length);
  }

  #page(page: number): Buffer {
    const cached = this.#cache.get(page);
    if (cached) return cached;
    const bytes = Buffer.allocUnsafeSlow(PAGE_BYTES);
    if (this.#readPage(bytes, page * PAGE_BYTES) !== PAGE_BYTES) throw new BadImageError('it is cut off');
    if (this.#cache.size === CACHED_PAGES_MAX) this.#cache.clear();
    this.#cache.set(page, bytes);
    return bytes;
  }

  /** Answers the node ids to begin with: the root's, and that of the packed file when there is one. */
  #superblock(): number[] {
    const block = this.#read(SUPER_OFFSET, SUPER_BYTES);
    if (block.readUInt32LE(0) !== MAGIC) throw new BadImageError('magic number');
    if (block[12] !== 12 || block[90] !== 0) throw new BadImageError('its blocks are not of 4 KiB');
    const incompat = block.readUInt32LE(80);
    if ((incompat & ~KNOWN_INCOMPAT) !== 0) throw new BadImageError(`features 0x${incompat.toString(16)}`);
    if (block.readUInt16LE(86) !== 0) throw new BadImageError('it needs other devices');
    if (block.readUInt32LE(36) * PAGE_BYTES > this.#sizeBytes) throw new BadImageError('it is cut off');
    this.#inodesAt = block.readUInt32LE(40) * PAGE_BYTES;
    this.#sharedXattrsAt = block.readUInt32LE(44) * PAGE_BYTES;
    const superBytes = SUPER_BYTES + block[13]! * 16;
    this.#mark(SUPER_OFFSET, superBytes);
    if (incompat & COMPRESSION_SETTINGS) {
      this.#compressionSettings(SUPER_OFFSET + superBytes, block.readUInt16LE(84));
    }
    const packed = nodeId(block, 96);
    return packed === 0 ? [block.readUInt16LE(14)] : [block.readUInt16LE(14), packed];
  }

  /** One record a known algorithm: u16 length, then as many bytes. */
  #compressionSettings(offset: number, algorithms: number): void {
    let at = offset;
    for (let bit = 0; bit < 16; bit++) {
      if (((algorithms >> bit) & 1) === 0) continue;
      const length = this.#read(at, 2).readUInt16LE(0);
      this.#mark(at, 2 + length);
      at += 2 + length;
    }
  }

  /** Marks all that belongs to the inode; answers the node ids in it when it is a directory. */
  #inode(nid: number): number[] {
    const inode = this.#readInode(this.#inodesAt + nid * 32);
    const type = inode.mode & S_IFMT;
    if (type === S_IFDIR) return this.#directory(inode);
    if (type === S_IFLNK) {
      if (inode.sizeBytes > MAX_SYMLINK_BYTES) throw new BadImageError('a symlink of over 4 KiB');
      for (const [offset, length] of this.#flatRanges(inode)) this.#mark(offset, length);
    } else if (type === S_IFREG) {
      this.#fileMap(inode);
    }
    return [];
  }

  #readInode(at: number): Inode {
    const format = this.#read(at, 2).readUInt16LE(0);
    const isExtended = (format & 1) === 1;
    const bytes = this.#read(at, isExtended ? 64 : 32);
    const xattrCount = bytes.readUInt16LE(2);
    const xattrBytes = xattrCount === 0 ? 0 : 12 + (xattrCount - 1) * 4;
    const end = at + bytes.length + xattrBytes;
    if (xattrCount > 0) this.#xattrs(at + bytes.length, xattrBytes);
    const sizeBytes = isExtended ? Number(bytes.readBigUInt64LE(8)) : bytes.readUInt32LE(8);
    if (!Number.isSafeInteger(sizeBytes)) throw new BadImageError('size of a file');
    return {
      mode: bytes.readUInt16LE(4),
      sizeBytes,
      layout: (format >> 1) & 7,
      union: bytes.readUInt32LE(16),
      end,
    };
  }

  #xattrs(at: number, length: number): void {
    const body = this.#read(at, length);
    const sharedCount = body[4]!;
    if (12 + sharedCount * 4 > length) throw new BadImageError('count of shared xattrs');
    for (let i = 0; i < sharedCount; i++) {
      const entryAt = this.#sharedXattrsAt + body.readUInt32LE(12 + i * 4) * 4;
      const entry = this.#read(entryAt, 4);
      this.#mark(entryAt, 4 + entry[0]! + entry.readUInt16LE(2));
    }
  }

  /** Where the data of a directory or symlink are: whole blocks, and a tail behind the inode. */
  #flatRanges({ layout, sizeBytes, union, end }: Inode): Array<[offset: number, length: number]> {
    const start = union * PAGE_BYTES;
    if (layout === LAYOUT.plain) return sizeBytes === 0 ? [] : [[start, sizeBytes]];
    if (layout !== LAYOUT.inline) throw new BadImageError(`a directory or symlink of layout ${layout}`);
    const tail = sizeBytes % PAGE_BYTES;
    const whole = sizeBytes - tail;
    return whole === 0
      ? [[end, tail]]
      : [
          [start, whole],
          [end, tail],
        ];
  }

  #directory(inode: Inode): number[] {
    this.#directoryBytes += inode.sizeBytes;
    if (this.#directoryBytes > this.#sizeBytes) throw new BadImageError('directories overlap');
    const children: number[] = [];
    for (const [offset, length] of this.#flatRanges(inode)) {
      for (let at = 0; at < length; at += PAGE_BYTES) {
        this.#directoryBlock(this.#read(offset + at, Math.min(PAGE_BYTES, length - at)), children);
      }
    }
    return children;
  }

  /** Entries of 12 bytes, then the names: where the first name begins tells how many entries there are. */
  #directoryBlock(block: Buffer, children: number[]): void {
    const namesAt = block.length < 12 ? 0 : block.readUInt16LE(8);
    if (namesAt < 12 || namesAt % 12 !== 0 || namesAt > block.length)
      throw new BadImageError('directory block');
    for (let at = 0; at < namesAt; at += 12) children.push(nodeId(block, at));
  }

  /** What tells where a file's data are. */
  #fileMap(inode: Inode): void {
    const { layout, sizeBytes, end } = inode;
    if (layout === LAYOUT.plain) return;
    if (layout === LAYOUT.inline) this.#mark(end, sizeBytes % PAGE_BYTES);
    else if (layout === LAYOUT.chunks) this.#chunkMap(inode);
    else if (layout === LAYOUT.compressedFull || layout === LAYOUT.compressedCompact) this.#clusterMap(inode);
    else throw new BadImageError(`a file of layout ${layout}`);
  }

  #chunkMap({ union, sizeBytes, end }: Inode): void {
    const entryBytes = union & CHUNK_INDEXES ? 8 : 4;
    const chunkBytes = PAGE_BYTES * 2 ** (union & 0x1f);
    this.#mark(roundUp(end, entryBytes), Math.ceil(sizeBytes / chunkBytes) * entryBytes);
  }

  /** A header of 8 bytes, then one index a logical cluster: 8 bytes each, or packed to 4 or 2 bytes on average. */
  #clusterMap({ layout, sizeBytes, end }: Inode): void {
    const headerAt = roundUp(end, 8);
    const header = this.#read(headerAt, 8);
    if (header[7]! & 0x80) return; // The whole file is in the packed inode.
    const advise = header.readUInt16LE(4);
    const count = Math.ceil(sizeBytes / (PAGE_BYTES * 2 ** (header[7]! & 0x0f)));
    const indexAt = headerAt + (layout === LAYOUT.compressedFull ? 16 : 8);
    const indexEnd =
      layout === LAYOUT.compressedFull
        ? indexAt + count * 8
        : compactEnd(indexAt, count, (advise & ADVISE_COMPACTED_2B) !== 0);
    this.#mark(headerAt, indexEnd - headerAt);
    if (advise & ADVISE_INLINE_PCLUSTER) this.#mark(indexEnd, header.readUInt16LE(2));
  }
}

/** Packed indexes: of 4 bytes up to a 32-byte boundary, then in 32-byte groups of 16, then of 4 bytes in pairs. */
function compactEnd(at: number, count: number, has2Bytes: boolean): number {
  if (!has2Bytes) return roundUp(at + count * 4, 8);
  const before = Math.min(count, ((32 - (at % 32)) / 4) % 8);
  const grouped = Math.floor((count - before) / 16) * 16;
  return roundUp(at + before * 4 + grouped * 2 + (count - before - grouped) * 4, 8);
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function nodeId(bytes: Buffer, at: number): number {
  const nid = Number(bytes.readBigUInt64LE(at));
  if (!Number.isSafeInteger(nid)) throw new BadImageError('node id');
  return nid;
}
