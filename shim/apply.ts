/**
 * Puts what a container had written onto a root file system that somebody else has made, through the mounted overlay: changing its upper
 * directory behind its back is undefined. A whiteout removes, an opaque directory replaces, a directory merges, all else is copied over.
 */
import { execFile } from 'node:child_process';
import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OPAQUE_XATTR } from '../blocks/layer-tree.ts';
import { xattrsOf } from '../blocks/xattr.ts';

const run = promisify(execFile);

/** Volumes lowest first. */
export async function applyFiles(volumes: readonly string[], rootfs: string): Promise<void> {
  for (const volume of volumes) {
    makeWay(volume, rootfs, '');
    await run('sh', ['-c', COPY, 'sh', volume, rootfs]);
    removeWhiteouts(volume, rootfs, '');
  }
}

/**
 * cp -a keeps modes, owners, times, xattrs, hard links, devices and holes; a whiteout arrives as the device that it is and goes right after.
 * Overlay's own attributes are of the volume, not of the files.
 */
const COPY = 'cp -a --sparse=auto --remove-destination "$1/." "$2"';

/** Removes what cp would merge with or stumble over: what an opaque directory hides, and whatever is of another kind. */
function makeWay(from: string, to: string, path: string): void {
  for (const name of readdirSync(join(from, path))) {
    const inner = join(path, name);
    const source = lstatSync(join(from, inner));
    const target = lstatSync(join(to, inner), { throwIfNoEntry: false });
    if (!target) continue;
    const isReplaced = !source.isDirectory() || !target.isDirectory() || isOpaque(join(from, inner));
    if (isReplaced) rmSync(join(to, inner), { recursive: true, force: true });
    else makeWay(from, to, inner);
  }
}

function removeWhiteouts(from: string, to: string, path: string): void {
  for (const name of readdirSync(join(from, path))) {
    const inner = join(path, name);
    const source = lstatSync(join(from, inner));
    if (source.isDirectory()) removeWhiteouts(from, to, inner);
    else if (source.isCharacterDevice() && source.rdev === 0) rmSync(join(to, inner), { force: true });
  }
}

function isOpaque(directory: string): boolean {
  return xattrsOf(Buffer.from(directory)).get(OPAQUE_XATTR)?.toString('latin1') === 'y';
}
