/**
 * Several upper directories as the one that shows the same upon whatever lies below, by overlayfs's rules (Documentation/filesystems/overlayfs.rst):
 * the upper one's name counts, directories are joined unless the upper one is opaque, whiteouts stay, since what they hide may lie below.
 */
import { childrenOf, type Inode, OPAQUE_XATTR } from './layer-tree.ts';

/** Changes neither; what is only in one of them is shared with it. */
export function mergeLayers(upper: Inode, lower: Inode): Inode {
  const above = childrenOf(upper);
  const below = childrenOf(lower);
  if (!above || isOpaque(upper)) return upper;
  // What is no directory hides all below it, and so does the directory in its place.
  if (!below) return opaque(upper);
  const children = new Map(below);
  for (const [name, inode] of above) {
    const hidden = below.get(name);
    children.set(name, hidden ? mergeLayers(inode, hidden) : inode);
  }
  const merged: Inode = { ...upper, content: { type: 'directory', children } };
  return isOpaque(lower) ? opaque(merged) : merged;
}

function isOpaque({ xattrs }: Inode): boolean {
  return xattrs.has(OPAQUE_XATTR);
}

function opaque(directory: Inode): Inode {
  return { ...directory, xattrs: new Map(directory.xattrs).set(OPAQUE_XATTR, Buffer.from('y')) };
}
