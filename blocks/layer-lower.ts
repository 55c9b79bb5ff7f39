/** Looks through the directories of the layers below, as containerd does for the parents that a tar does not describe. */
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { attributesOf } from './attributes.ts';
import type { LowerDirectory } from './layer-apply.ts';
import { resolveInRoot } from './rooted-path.ts';

/**
 * `lowers`: nearest first. The nearest layer that has the path decides, also when it is no directory there; each layer
 * follows its own symlinks only. That a layer between made a parent opaque is not minded: containerd does not, either.
 */
export function lowerDirectoryIn(lowers: readonly string[]): LowerDirectory {
  return (components) => {
    for (const lower of lowers) {
      const path = pathIn(lower, resolveInRoot(components.join('/'), linkReader(lower)));
      const stat = statOf(path);
      if (stat?.isDirectory()) return attributesOf(path, stat, (name) => name.startsWith('trusted.'));
      if (stat) return undefined;
    }
    return undefined;
  };
}

function linkReader(lower: string): (components: readonly string[]) => string | undefined {
  return (components) => {
    try {
      return readlinkSync(pathIn(lower, components), 'latin1');
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EINVAL' || code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  };
}

function statOf(path: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function pathIn(lower: string, components: readonly string[]): Buffer {
  return Buffer.concat([Buffer.from(`${lower}/`), Buffer.from(components.join('/'), 'latin1')]);
}
