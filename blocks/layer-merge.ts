/**
 * Several upper directories as the one that shows the same upon the same lower layers, by overlayfs's rules
 * (Documentation/filesystems/overlayfs.rst): the upper one's name counts, directories are joined unless the upper one is opaque, whiteouts stay
 * where they hide something. One that hides nothing must go: in a directory that no lower layer has, overlayfs lists the names as they are.
 */
import { lstatSync } from 'node:fs';
import { childrenOf, type Inode, OPAQUE_XATTR } from './layer-tree.ts';
import { xattrsOf } from './xattr.ts';

/** `uppers` and `lowers`: nearest first; `lowers` are folders. Changes none of the trees; what need not change is shared with them. */
export function mergeLayers(uppers: readonly Inode[], lowers: readonly string[]): Inode {
  return withoutIdle(
    uppers.reduce((upper, lower) => merged(upper, lower)),
    lowers.map((path) => Buffer.from(path)),
  );
}

function merged(upper: Inode, lower: Inode): Inode {
  const above = childrenOf(upper);
  const below = childrenOf(lower);
  if (!above || isOpaque(upper)) return upper;
  // What is no directory hides all below it, and so does the directory in its place.
  if (!below) return opaque(upper);
  const children = new Map(below);
  for (const [name, inode] of above) {
    const hidden = below.get(name);
    children.set(name, hidden ? merged(inode, hidden) : inode);
  }
  const both: Inode = { ...upper, content: { type: 'directory', children } };
  return isOpaque(lower) ? opaque(both) : both;
}

/** `lowers`: the directories of lower layers that overlayfs joins with this one. */
function withoutIdle(directory: Inode, lowers: readonly Buffer[]): Inode {
  const joined = isOpaque(directory) ? [] : lowers;
  const children = new Map<string, Inode>();
  for (const [name, inode] of childrenOf(directory)!) {
    const below = () => joined.map((path) => Buffer.concat([path, Buffer.from(`/${name}`, 'latin1')]));
    if (isWhiteout(inode) && !below().some(isThere)) continue;
    children.set(name, inode.content.type === 'directory' ? withoutIdle(inode, joinable(below())) : inode);
  }
  return { ...directory, content: { type: 'directory', children } };
}

function joinable(paths: readonly Buffer[]): Buffer[] {
  const found: Buffer[] = [];
  for (const path of paths) {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (!stat) continue;
    if (!stat.isDirectory()) break;
    found.push(path);
    if (xattrsOf(path).has(OPAQUE_XATTR)) break;
  }
  return found;
}

function isThere(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isWhiteout({ content }: Inode): boolean {
  return content.type === 'char' && content.major === 0 && content.minor === 0;
}

function isOpaque({ xattrs }: Inode): boolean {
  return xattrs.has(OPAQUE_XATTR);
}

function opaque(directory: Inode): Inode {
  return { ...directory, xattrs: new Map(directory.xattrs).set(OPAQUE_XATTR, Buffer.from('y')) };
}
