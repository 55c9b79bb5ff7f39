/**
 * The upper directory of a layer as a tree in memory: attributes and names, never the files' bytes.
 * `layer-apply.ts` fills it from a tar, `layer-walk.ts` from a directory, `layer-tar.ts` writes it out for mkfs.erofs.
 */
import type { Time } from './tar-header.ts';

export interface Attributes {
  /** The low 12 bits of st_mode. */
  mode: number;
  uid: number;
  gid: number;
  modified: Time;
  /** Names and values as on disk. */
  xattrs: Map<string, Buffer>;
}

/** What an inode is, beside its attributes. */
export type Content =
  | { type: 'directory'; children: Map<string, Inode> }
  /** `source` is the ordinal of the tar's entry, or the path in the walked directory. */
  | { type: 'file'; sizeBytes: number; source: number | string }
  | { type: 'symlink'; target: string }
  | { type: 'char' | 'block'; major: number; minor: number }
  | { type: 'fifo' };

/** Hard links are one inode under several names. */
export type Inode = Attributes & { content: Content };

export const OPAQUE_XATTR = 'trusted.overlay.opaque';

/** Time zero: for what no tar entry describes. */
export const EPOCH: Time = { seconds: 0, nanoseconds: 0 };

const BILLION = 1_000_000_000n;

/** A file's time of modification; 1970 for what is older, as containerd has it. */
export function timeOf({ mtimeNs }: { mtimeNs: bigint }): Time {
  if (mtimeNs < 0n) return EPOCH;
  return { seconds: Number(mtimeNs / BILLION), nanoseconds: Number(mtimeNs % BILLION) };
}

export function newDirectory(attributes: Partial<Attributes> = {}): Inode {
  return {
    mode: 0o755,
    uid: 0,
    gid: 0,
    modified: EPOCH,
    xattrs: new Map(),
    ...attributes,
    content: { type: 'directory', children: new Map() },
  };
}

/** What overlayfs takes as "this name is deleted". */
export function newWhiteout(uid: number, gid: number): Inode {
  return {
    mode: 0,
    uid,
    gid,
    modified: EPOCH,
    xattrs: new Map(),
    content: { type: 'char', major: 0, minor: 0 },
  };
}

/** The entries of a directory; undefined for all that is none. */
export function childrenOf(inode: Inode | undefined): Map<string, Inode> | undefined {
  return inode?.content.type === 'directory' ? inode.content.children : undefined;
}

/** The inode under these components, following nothing. */
export function find(root: Inode, components: readonly string[]): Inode | undefined {
  let inode: Inode | undefined = root;
  for (const name of components) inode = childrenOf(inode)?.get(name);
  return inode;
}

/** All inodes below `root` with their paths (no slash in front), names sorted by their bytes, parents first. */
export function* walk(root: Inode, prefix = ''): Generator<[path: string, inode: Inode]> {
  const children = [...(childrenOf(root) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, inode] of children) {
    yield [prefix + name, inode];
    yield* walk(inode, `${prefix}${name}/`);
  }
}
