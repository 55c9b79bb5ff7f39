/** Reads the head that flat-image.ts writes: where in the image the pages of each file are. */
import {
  DIRENT_BYTES,
  FORMAT,
  INODES_PAGE,
  MAGIC,
  mapOffset,
  type Placed,
  pagesOf,
  ROOT_NID,
  SUPER_OFFSET,
  TYPE,
  UNIT,
} from './flat-image.ts';
import { type BlockStore, PAGE_BYTES, type VolumeIndex } from './types.ts';

/** The volume's metadata, which begins with the head. Rejects where a block of it is not here. */
export async function readHead(index: VolumeIndex, blocks: Pick<BlockStore, 'get'>): Promise<Buffer> {
  const head: Buffer[] = [];
  for (let i = 0; i < index.blockCount && index.isMetadata(i); i++) {
    const bytes = await blocks.get(index.blockId(i));
    if (!bytes) throw new Error(`block ${index.blockId(i)} of the volume's metadata is not here`);
    head.push(bytes);
  }
  return Buffer.concat(head);
}

/** The files by their names. `head`: the image's beginning, or more of it. Throws for bytes that are no such head, whoever made them. */
export function filesOfFlat(head: Buffer): Map<string, Placed> {
  if (head.readUInt32LE(SUPER_OFFSET) !== MAGIC) throw new Error('an image that is no EROFS');
  const directory = inodeAt(head, ROOT_NID);
  const from = directory.union * PAGE_BYTES;
  const entries = head.subarray(from, from + directory.sizeBytes);
  if (entries.length < directory.sizeBytes) throw new Error('a directory that is cut off');
  const files = new Map<string, Placed>();
  for (let at = 0; at < entries.length; at += PAGE_BYTES) {
    for (const { name, nid } of entriesIn(entries.subarray(at, at + PAGE_BYTES)))
      files.set(name, fileAt(head, name, nid));
  }
  return files;
}

/** The bytes of a file that lies in this part of the image; undefined where it does not. */
export function bytesOf(image: Buffer, { pages, sizeBytes }: Placed): Buffer | undefined {
  const found = Array.from(pages, (page) => image.subarray(page * PAGE_BYTES, (page + 1) * PAGE_BYTES));
  return found.every(({ length }) => length === PAGE_BYTES)
    ? Buffer.concat(found).subarray(0, sizeBytes)
    : undefined;
}

function inodeAt(head: Buffer, nid: number) {
  const at = head.subarray(INODES_PAGE * PAGE_BYTES + nid * UNIT);
  const sizeBytes = Number(at.readBigUInt64LE(8));
  return { format: at.readUInt16LE(0), sizeBytes, union: at.readUInt32LE(16) };
}

/** The regular files of a directory's page. */
function* entriesIn(page: Buffer): Generator<{ name: string; nid: number }> {
  const count = page.readUInt16LE(8) / DIRENT_BYTES;
  for (let i = 0; i < count; i++) {
    const at = i * DIRENT_BYTES;
    if (page[at + 10] !== TYPE.file) continue;
    const nameAt = page.readUInt16LE(at + 8);
    const nameEnd = i + 1 < count ? page.readUInt16LE(at + DIRENT_BYTES + 8) : page.length;
    const name = page.toString('utf8', nameAt, nameEnd).replace(/\0.*$/s, '');
    yield { name, nid: Number(page.readBigUInt64LE(at)) };
  }
}

function fileAt(head: Buffer, name: string, nid: number): Placed {
  const { format, sizeBytes } = inodeAt(head, nid);
  if (format !== FORMAT.file) throw new Error(`${name} is mapped otherwise than page by page`);
  const pages = new Uint32Array(pagesOf({ name, sizeBytes }));
  const from = mapOffset(nid);
  for (let i = 0; i < pages.length; i++) pages[i] = head.readUInt32LE(from + 4 * i);
  return { name, sizeBytes, pages };
}
