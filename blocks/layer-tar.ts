/**
 * A layer's tree as the tar that mkfs.erofs gets: every directory explicit and before what is in it, each inode once with
 * its final attributes, whiteouts as devices 0:0, hard links last. So nothing depends on how mkfs.erofs treats duplicates,
 * missing parents or whiteouts, and two archives that unpack to one tree give one image.
 */
import { type Inode, walk } from './layer-tree.ts';
import { TAR_END, type TarRecord, tarHeader, tarPadding } from './tar-write.ts';

/** A file of the tree: where its bytes are, and how the archive is to name it. */
export interface FileOfTree {
  inode: Inode;
  source: number | string;
  sizeBytes: number;
  header: Buffer;
}

export interface LayerTar {
  /** Everything without data. */
  head: Buffer[];
  /** Files with data, in the order of their names. */
  files: FileOfTree[];
  /** Hard links and the archive's end. */
  tail: Buffer[];
}

export function layerTar(root: Inode): LayerTar {
  const head = [tarHeader({ ...recordOf(root), name: './' })];
  const files: FileOfTree[] = [];
  const tail: Buffer[] = [];
  const names = new Map<Inode, string>();
  for (const [name, inode] of walk(root)) {
    const first = names.get(inode);
    if (first !== undefined) {
      tail.push(tarHeader({ type: '1', name, linkName: first }));
      continue;
    }
    names.set(inode, name);
    const header = tarHeader({ ...recordOf(inode), name });
    const { content } = inode;
    if (content.type === 'file' && content.sizeBytes > 0) {
      files.push({ inode, source: content.source, sizeBytes: content.sizeBytes, header });
    } else {
      head.push(header);
    }
  }
  tail.push(TAR_END);
  return { head, files, tail };
}

/** Throws when the data are not of the length that the header promised. */
export async function* fileInTar(file: FileOfTree, data: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield file.header;
  let written = 0;
  for await (const part of data) {
    written += part.length;
    if (written > file.sizeBytes) break;
    yield part;
  }
  if (written !== file.sizeBytes) throw new Error(`file ${file.source} changed while it was read`);
  yield tarPadding(written);
}

const TYPES = { directory: '5', file: '0', symlink: '2', char: '3', block: '4', fifo: '6' } as const;

function recordOf({ content, ...attributes }: Inode): Omit<TarRecord, 'name'> {
  const type = TYPES[content.type];
  if (content.type === 'file') return { ...attributes, type, sizeBytes: content.sizeBytes };
  if (content.type === 'symlink') return { ...attributes, type, linkName: content.target };
  if (content.type === 'char' || content.type === 'block') return { ...attributes, type, device: content };
  return { ...attributes, type };
}
