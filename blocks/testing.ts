/** What several tests of this folder need: trees as plain data, images and mounts that clean up after themselves. */
import { execFileSync } from 'node:child_process';
import { createCipheriv, createHash, randomInt } from 'node:crypto';
import { type BigIntStats, lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import jspb from 'google-protobuf';
import koffi from 'koffi';
import type { Test } from 'tap';
import { mkfsOptions } from './format.ts';
import { MS_RDONLY, mount, SyscallError, unmount } from './libc.ts';
import { makeImage } from './mkfs.ts';
import { TAR_END, type TarRecord, tarHeader, tarPadding } from './tar-write.ts';
import type { BlockStore, VolumeIndex } from './types.ts';
import { xattrsOf } from './xattr.ts';

/** A mkfs.erofs that is new enough, fetched when the machine has none. */
export function mkfsProgram(): string {
  const script = fileURLToPath(new URL('../hack/erofs-utils', import.meta.url));
  return process.env.FORAGE_MKFS_EROFS ?? execFileSync(script, { encoding: 'utf8' }).trim();
}

/** Chance that one number repeats (mulberry32). `below` answers integers from 0 up to, not including, its argument. */
export function generator(seed: number) {
  let state = seed;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => below(256)));
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)]!;
  return { below, bytes, pick };
}

/** From a printed seed: `FORAGE_SEED=… npx tap run …` repeats a run. Answers integers below its argument. */
export function seededPick(t: Test): (limit: number) => number {
  const seed = Number(process.env.FORAGE_SEED ?? randomInt(2 ** 31));
  t.comment(`FORAGE_SEED=${seed}`);
  return generator(seed).below;
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

const lsetxattr = koffi
  .load('libc.so.6')
  .func('int lsetxattr(const char *path, const char *name, const uint8_t *value, size_t size, int flags)');

export function setXattr(path: string, name: string, value: Buffer): void {
  if (lsetxattr(path, name, value, value.length, 0) !== 0) {
    throw new SyscallError('lsetxattr', koffi.errno(), `${name} of ${path}`);
  }
}

/** Bytes that look random and are the same in every run. */
export function noise(sizeBytes: number, seed = 0): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}

/** All of a stream's bytes. */
export async function collect(parts: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(Buffer.from(part));
  return Buffer.concat(all);
}

/** An archive of these records, each with its data. */
export async function* tarOf(entries: Iterable<TarRecord & { data?: Buffer }>): AsyncGenerator<Buffer> {
  for (const { data = Buffer.alloc(0), ...record } of entries) {
    yield tarHeader({ sizeBytes: data.length, ...record });
    yield data;
    yield tarPadding(data.length);
  }
  yield TAR_END;
}

/** Puts a stored volume's blocks together again, checking each; answers the image's path. */
export async function assemble(dir: string, index: VolumeIndex, blocks: BlockStore): Promise<string> {
  const image = join(dir, index.root);
  const file = await open(image, 'w');
  for (let i = 0; i < index.blockCount; i++) {
    const bytes = await blocks.get(index.blockId(i));
    if (bytes?.length !== index.offset(i + 1) - index.offset(i)) throw new Error(`block ${i} is missing`);
    await file.write(bytes, 0, bytes.length, index.offset(i));
  }
  await file.close();
  return image;
}

/** Of a protobuf message: a varint, or bytes. */
export type Field = number | Uint8Array;

export function message(...fields: [number, Field][]): Uint8Array {
  const writer = new jspb.BinaryWriter();
  for (const [number, value] of fields)
    if (typeof value === 'number') writer.writeUint64(number, value);
    else writer.writeBytes(number, value);
  return writer.getResultBuffer();
}

/** A file of CRIU's images: its kind, then messages with their lengths. */
export function image(magic: number, ...records: Uint8Array[]): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32LE(0x54564319, 0);
  head.writeUInt32LE(magic, 4);
  return Buffer.concat([
    head,
    ...records.flatMap((record) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(record.length);
      return [length, record];
    }),
  ]);
}

/** Mounted as forage's snapshotter does, until the test ends. `layers`: the options that name them. Answers the point, which is made. */
export async function overlay(t: Test, point: string, layers: string): Promise<string> {
  await mkdir(point);
  await mount('overlay', point, 'overlay', 0, `${layers},index=off,metacopy=off,redirect_dir=off`);
  t.teardown(() => unmount(point));
  return point;
}
