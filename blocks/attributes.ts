/** What a file on this machine would be in a layer's tree: shared by the look into lower layers and the walk of a directory. */
import type { BigIntStats } from 'node:fs';
import { type Attributes, timeOf } from './layer-tree.ts';
import { xattrsOf } from './xattr.ts';

/** `isPrivate` names the xattrs that are overlayfs's and not the layer's. SELinux's label is always the machine's own. */
export function attributesOf(
  path: Buffer,
  stat: BigIntStats,
  isPrivate: (xattr: string) => boolean,
): Attributes {
  const xattrs = xattrsOf(path);
  for (const name of xattrs.keys()) {
    if (isPrivate(name) || name === 'security.selinux') xattrs.delete(name);
  }
  return {
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    modified: timeOf(stat),
    xattrs,
  };
}
