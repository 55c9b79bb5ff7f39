/**
 * Puts what a container had written onto a root file system that somebody else has made, through the mounted overlay: changing its upper
 * directory behind its back is undefined. A whiteout removes, an opaque directory replaces, a directory merges, all else is copied over.
 *
 * Names are bytes, not text.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync, rmSync, type Stats } from 'node:fs';
import { OPAQUE_XATTR } from '../blocks/layer-tree.ts';
import { xattrsOf } from '../blocks/xattr.ts';

const SLASH = Buffer.from('/');
const END = Buffer.alloc(1);

/** Volumes lowest first. Rejects with tar's last words. */
export async function applyFiles(volumes: readonly string[], rootfs: string): Promise<void> {
  for (const volume of volumes) {
    const names: Buffer[] = [];
    makeWay(Buffer.from(volume), Buffer.from(rootfs), Buffer.from('.'), names);
    await copy(volume, rootfs, names);
  }
}

/** Removes what is deleted or of another kind, and collects what is to be copied: folders before what is in them. */
function makeWay(from: Buffer, to: Buffer, path: Buffer, names: Buffer[]): void {
  for (const name of readdirSync(join(from, path), 'buffer')) {
    const inner = join(path, name);
    const [source, target] = [join(from, inner), join(to, inner)];
    const stat = lstatSync(source);
    const there = lstatSync(target, { throwIfNoEntry: false });
    const merges = stat.isDirectory() && there?.isDirectory() && !isOpaque(source);
    if (there && !merges) rmSync(target, { recursive: true, force: true });
    if (isWhiteout(stat)) continue;
    names.push(inner);
    if (stat.isDirectory()) makeWay(from, to, inner, names);
  }
}

/**
 * tar keeps modes, owners, times, xattrs, hard links, devices and holes, and takes a list of names, so whiteouts can be left out: an overlay
 * lets nobody make them through it. Its own attributes are of the volume, not of the files.
 */
const COPY = `tar -C "$1" --format=posix --no-recursion --null --verbatim-files-from -T - -S --xattrs \\
  --xattrs-include='*' --xattrs-exclude='trusted.overlay.*' -cf - |
  tar -C "$2" -xpf - --same-owner --numeric-owner --xattrs --xattrs-include='*'`;

async function copy(from: string, to: string, names: readonly Buffer[]): Promise<void> {
  if (names.length === 0) return;
  const child = spawn('bash', ['-o', 'pipefail', '-c', COPY, 'bash', from, to], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  child.stdin.on('error', () => {}); // it says why itself
  child.stdin.end(Buffer.concat(names.flatMap((name) => [name, END])));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`what the container had written could not be applied: ${said.trim()}`);
}

function join(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, SLASH, name]);
}

function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

function isOpaque(directory: Buffer): boolean {
  return xattrsOf(directory).get(OPAQUE_XATTR)?.toString('latin1') === 'y';
}
