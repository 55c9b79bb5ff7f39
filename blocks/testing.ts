/** What several tests of this folder need: trees as plain data, images and mounts that clean up after themselves. */
import { execFileSync } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { type BigIntStats, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { mkfsOptions } from './format.ts';
import { MS_RDONLY, mount, unmount } from './libc.ts';
import { makeImage } from './mkfs.ts';
import { xattrsOf } from './xattr.ts';

/** A mkfs.erofs that is new enough, fetched when the machine has none. */
export function mkfsProgram(): string {
  const script = fileURLToPath(new URL('../hack/erofs-utils', import.meta.url));
  return process.env.FORAGE_MKFS_EROFS ?? execFileSync(script, { encoding: 'utf8' }).trim();
}

/** mulberry32 from a printed seed: `FORAGE_SEED=… npx tap run …` repeats a run. Answers integers below its argument. */
export function seededPick(t: Test): (limit: number) => number {
  let state = Number(process.env.FORAGE_SEED ?? randomInt(2 ** 31));
  t.comment(`FORAGE_SEED=${state}`);
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** A folder outside the checkout, on a real file system, gone after the test. */
export function scratch(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'forage-blocks-'));
  t.teardown(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes the image of a tar into `dir`. */
export async function imageOf(
  dir: string,
  tar: AsyncIterable<Buffer>,
  compression: Parameters<typeof mkfsOptions>[1] = 'lz4',
  extraOptions: string[] = [],
): Promise<string> {
  const image = join(dir, `image-${compression}-${randomInt(2 ** 40)}`);
  const options = [...mkfsOptions(`sha256:${'0'.repeat(64)}`, compression), ...extraOptions];
  await makeImage({ program: mkfsProgram(), options, tempDir: dir }, tar, image);
  return image;
}

/** Mounts an image straight from its file; answers where. */
export async function mountImage(t: Test, image: string): Promise<string> {
  const point = `${image}.mounted`;
  await mkdir(point);
  await mount(image, point, 'erofs', MS_RDONLY, '');
  t.teardown(() => unmount(point));
  return point;
}

/** Every entry under `dir` with all that stat, readlink, listxattr and, if asked, the contents tell. */
export function listTree(dir: string, { withData = true } = {}): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const firstNames = new Map<bigint, string>();
  const visit = (path: Buffer, name: string): void => {
    const stat = lstatSync(path, { bigint: true });
    const first = firstNames.get(stat.ino) ?? name;
    firstNames.set(stat.ino, first);
    found[name] = { ...describe(path, stat, withData), inode: first };
    if (!stat.isDirectory()) return;
    for (const child of readdirSync(path, 'buffer').sort(Buffer.compare)) {
      visit(Buffer.concat([path, Buffer.from('/'), child]), `${name}/${child.toString('latin1')}`);
    }
  };
  visit(Buffer.from(dir), '');
  return found;
}

function describe(path: Buffer, stat: BigIntStats, withData: boolean): Record<string, unknown> {
  const isData = stat.isFile() && withData;
  return {
    mode: stat.mode.toString(8),
    owner: `${stat.uid}:${stat.gid}`,
    links: stat.isDirectory() ? undefined : Number(stat.nlink),
    size: stat.isFile() ? Number(stat.size) : undefined,
    time: String(stat.mtimeNs),
    device: stat.isCharacterDevice() || stat.isBlockDevice() ? Number(stat.rdev) : undefined,
    target: stat.isSymbolicLink() ? readlinkSync(path, 'latin1') : undefined,
    xattrs: [...xattrsOf(path)].map(([key, value]) => `${key}=${value.toString('hex')}`).sort(),
    sha256: isData ? createHash('sha256').update(readFileSync(path)).digest('hex') : undefined,
  };
}
