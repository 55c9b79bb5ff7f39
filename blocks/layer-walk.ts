/**
 * An unpacked upper directory as a tree, for layers that have no tar here. Overlay's private xattrs go, `opaque` stays;
 * whiteouts stay devices 0:0; sockets are left out, as containerd leaves them out of layers that it makes.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { attributesOf } from './attributes.ts';
import { type Content, childrenOf, type Inode, newDirectory, OPAQUE_XATTR } from './layer-tree.ts';
import { xattrsOf } from './xattr.ts';

const OVERLAY_PREFIXES = ['trusted.overlay.', 'user.overlay.'];

/** Throws what lstat, readdir or llistxattr throw; the directory must not change meanwhile. */
export function walkDirectory(directory: string): Inode {
  const path = Buffer.from(directory);
  // The root's own attributes are overlayfs's of the uppermost layer, never a lower's; only `opaque` counts.
  const opaque = xattrsOf(path).get(OPAQUE_XATTR);
  const root = newDirectory({ xattrs: new Map(opaque ? [[OPAQUE_XATTR, opaque]] : []) });
  fill(root, path, new Map());
  return root;
}

function fill(parent: Inode, path: Buffer, links: Map<string, Inode>): void {
  const children = childrenOf(parent)!;
  for (const nameBytes of readdirSync(path, 'buffer')) {
    const childPath = Buffer.concat([path, Buffer.from('/'), nameBytes]);
    const stat = lstatSync(childPath, { bigint: true });
    if (stat.isSocket()) continue;
    const key = `${stat.dev}:${stat.ino}`;
    const inode = links.get(key) ?? inodeOf(childPath, stat);
    if (stat.nlink > 1n && !stat.isDirectory()) links.set(key, inode);
    children.set(nameBytes.toString('latin1'), inode);
    if (stat.isDirectory()) fill(inode, childPath, links);
  }
}

function inodeOf(path: Buffer, stat: BigIntStats): Inode {
  return { ...attributesOf(path, stat, isOverlayPrivate), content: contentOf(path, stat) };
}

function isOverlayPrivate(name: string): boolean {
  return OVERLAY_PREFIXES.some((prefix) => name.startsWith(prefix)) && name !== OPAQUE_XATTR;
}

function contentOf(path: Buffer, stat: BigIntStats): Content {
  if (stat.isDirectory()) return { type: 'directory', children: new Map() };
  if (stat.isFile()) return { type: 'file', sizeBytes: Number(stat.size), source: path.toString('latin1') };
  if (stat.isSymbolicLink()) return { type: 'symlink', target: readlinkSync(path, 'latin1') };
  if (stat.isFIFO()) return { type: 'fifo' };
  const device = { major: majorOf(stat.rdev), minor: minorOf(stat.rdev) };
  return { type: stat.isBlockDevice() ? 'block' : 'char', ...device };
}

/** The parts of st_rdev as glibc packs them; the kernel has 12 bits of major and 20 of minor. */
function majorOf(rdev: bigint): number {
  return Number((rdev >> 8n) & 0xfffn);
}

function minorOf(rdev: bigint): number {
  return Number((rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n));
}
