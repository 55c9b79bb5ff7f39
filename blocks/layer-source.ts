/**
 * A layer's blob: kept on disk as it came (compressed) and read twice, once for its hash and its tree, once for its files'
 * bytes. So the tree is final before mkfs.erofs sees anything, a wrong blob costs no image, and no file is in memory.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { LayerApply, type LowerDirectory, UnsupportedLayerError } from './layer-apply.ts';
import { fileInTar, layerTar } from './layer-tar.ts';
import type { Inode } from './layer-tree.ts';
import { UnresolvablePathError } from './rooted-path.ts';
import { BadTarError } from './tar-header.ts';
import { TarReader } from './tar-read.ts';
import type { DiffId } from './types.ts';
import { unzstd, ZSTD_MAGIC } from './zstd.ts';

const READ_BYTES = 256 * 1024;
const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);

/** The blob is not the layer that it is said to be. */
export class DiffIdMismatchError extends Error {
  constructor(expected: DiffId, found: DiffId) {
    super(`the layer's tar hashes to ${found}, not to ${expected}`);
    this.name = 'DiffIdMismatchError';
  }
}

/** Writes the stream to a file. */
export async function spool(source: AsyncIterable<Uint8Array>, path: string): Promise<void> {
  await pipeline(
    Readable.from(source, { objectMode: true, highWaterMark: 2 }),
    createWriteStream(path, { flags: 'wx', mode: 0o600 }),
  );
}

/** The archive inside the blob at `path`: gzip, zstd or neither, told by its first bytes. */
export async function* archiveIn(path: string): AsyncGenerator<Buffer> {
  const [start = Buffer.alloc(0)] = (await createReadStream(path, { end: 3 }).toArray()) as Buffer[];
  const raw = createReadStream(path, { highWaterMark: READ_BYTES });
  if (start.subarray(0, 2).equals(GZIP_MAGIC)) yield* gunzip(raw);
  else if (start.length === 4 && start.readUInt32LE(0) === ZSTD_MAGIC) yield* unzstd(raw);
  else yield* raw;
}

async function* gunzip(raw: Readable): AsyncGenerator<Buffer> {
  const decoder = createGunzip({ chunkSize: READ_BYTES });
  raw.on('error', (error) => decoder.destroy(error));
  yield* raw.pipe(decoder) as AsyncIterable<Buffer>;
}

/**
 * First pass: the tree that the archive unpacks to. Throws `DiffIdMismatchError` whenever the hash is wrong; what else it
 * throws for a right one is an archive that we cannot do (see `isUnsupported`).
 */
export async function treeOf(
  path: string,
  diffId: DiffId,
  isLowest: boolean,
  lower: LowerDirectory,
): Promise<Inode> {
  const sha256 = createHash('sha256');
  const reader = new TarReader(hashed(archiveIn(path), sha256));
  const apply = new LayerApply(isLowest, lower);
  let unsupported: unknown;
  try {
    let ordinal = 0;
    for (let entry = await reader.next(); entry !== undefined; entry = await reader.next()) {
      apply.add(entry, ordinal++);
    }
    apply.finish();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
    unsupported = error;
  }
  await reader.drain();
  const found: DiffId = `sha256:${sha256.digest('hex')}`;
  if (found !== diffId) throw new DiffIdMismatchError(diffId, found);
  if (unsupported !== undefined) throw unsupported;
  return apply.root;
}

/** Errors that tell of the archive's contents, not of the machine: the unpacked directory may still do. */
export function isUnsupported(error: unknown): error is Error {
  return (
    error instanceof UnsupportedLayerError ||
    error instanceof UnresolvablePathError ||
    error instanceof BadTarError
  );
}

async function* hashed(
  chunks: AsyncIterable<Buffer>,
  sha256: { update(bytes: Buffer): unknown },
): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    sha256.update(chunk);
    yield chunk;
  }
}

/** Second pass: the tree as mkfs.erofs is to get it, files in the order of the archive. */
export async function* canonicalTar(path: string, root: Inode): AsyncGenerator<Buffer> {
  const { head, files, tail } = layerTar(root);
  yield* head;
  const byOrdinal = new Map(files.map((file) => [file.source, file]));
  const reader = new TarReader(archiveIn(path));
  try {
    for (let ordinal = 0; byOrdinal.size > 0; ordinal++) {
      if ((await reader.next()) === undefined) throw new Error('the blob changed while it was read');
      const file = byOrdinal.get(ordinal);
      if (!file) continue;
      yield* fileInTar(file, reader.content());
      byOrdinal.delete(ordinal);
    }
  } finally {
    await reader.close();
  }
  yield* tail;
}

/** A walked directory's tree, likewise; files in the order of their names. */
export async function* walkedTar(root: Inode): AsyncGenerator<Buffer> {
  const { head, files, tail } = layerTar(root);
  yield* head;
  for (const file of files) {
    const bytes = createReadStream(Buffer.from(file.source as string, 'latin1'), {
      highWaterMark: READ_BYTES,
    });
    yield* fileInTar(file, bytes as AsyncIterable<Buffer>);
  }
  yield* tail;
}
