/**
 * How well do blocks of several sizes share between two versions of a layer? Makes the EROFS image of each archive as
 * ingest does and cuts both with each candidate.
 *
 *   node bench/chunker.ts OLD.tar NEW.tar [--compression lz4]
 *
 * Per candidate: blocks of the new image, mean length, index bytes, what a node with the old one still has to fetch, in
 * how many blocks, and the time of cutting and hashing.
 */
import { createHash } from 'node:crypto';
import { createReadStream, readSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { blockIdOf } from '../blocks/block.ts';
import { type BlockSizes, chunks } from '../blocks/chunker.ts';
import { metadataPages } from '../blocks/erofs.ts';
import { type Compression, isCompression, mkfsOptions } from '../blocks/format.ts';
import { canonicalTar, treeOf } from '../blocks/layer-source.ts';
import { makeImage } from '../blocks/mkfs.ts';
import { mkfsProgram } from '../blocks/testing.ts';
import { PAGE_BYTES } from '../blocks/types.ts';
import { type BlockEntry, encodeIndex } from '../blocks/volume.ts';

/** In pages. The second number is what content decides on once `min` is reached. */
const CANDIDATES: Record<string, BlockSizes> = {
  '16/64/256': { min: 4, mean: 12, max: 64 },
  '32/128/512': { min: 8, mean: 24, max: 128 },
  '32/64/512': { min: 8, mean: 8, max: 128 },
  '64/256/512': { min: 16, mean: 48, max: 128 },
  'fixed 128': { min: 32, mean: 2 ** 32, max: 32 },
};

async function imageOf(tar: string, compression: Compression, dir: string): Promise<string> {
  const sha256 = createHash('sha256');
  for await (const chunk of createReadStream(tar)) sha256.update(chunk as Buffer);
  const diffId = `sha256:${sha256.digest('hex')}`;
  const tree = await treeOf(tar, diffId, true, () => undefined);
  const image = join(dir, diffId.slice(7));
  const options = mkfsOptions(diffId, compression);
  await makeImage({ program: mkfsProgram(), options, tempDir: dir }, canonicalTar(tar, tree), image);
  return image;
}

async function cut(image: string, sizes: BlockSizes): Promise<{ entries: BlockEntry[]; seconds: number }> {
  const file = await open(image);
  const { size } = await file.stat();
  const readAt = (into: Buffer, position: number) => readSync(file.fd, into, 0, into.length, position);
  const metadata = metadataPages(readAt, size);
  const entries: BlockEntry[] = [];
  const startMs = performance.now();
  for await (const { bytes, metadata: isMetadata } of chunks(
    readAt,
    size,
    (page) => metadata.has(page),
    sizes,
  )) {
    entries.push({ id: blockIdOf(bytes), sizeBytes: bytes.length, metadata: isMetadata });
  }
  const seconds = (performance.now() - startMs) / 1000;
  await file.close();
  return { entries, seconds };
}

async function compare(name: string, oldImage: string, newImage: string): Promise<Record<string, unknown>> {
  const sizes = CANDIDATES[name]!;
  const [before, after] = [await cut(oldImage, sizes), await cut(newImage, sizes)];
  const have = new Set(before.entries.map(({ id }) => id));
  const missing = new Map(
    after.entries.filter(({ id }) => !have.has(id)).map(({ id, sizeBytes }) => [id, sizeBytes]),
  );
  const totalBytes = after.entries.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const missingBytes = [...missing.values()].reduce((sum, bytes) => sum + bytes, 0);
  return {
    KiB: name,
    blocks: after.entries.length,
    'mean KiB': Math.round(totalBytes / after.entries.length / 1024),
    'index KB': Math.round(encodeIndex('bench-1', after.entries).length / 1000),
    'image MB': Math.round(totalBytes / 1e6),
    'to fetch MB': Number((missingBytes / 1e6).toFixed(1)),
    'shared %': Number((100 - (100 * missingBytes) / totalBytes).toFixed(1)),
    'blocks to fetch': missing.size,
    'MB/s': Math.round(totalBytes / 1e6 / after.seconds),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { compression: { type: 'string', default: 'lz4' } },
});
const [oldTar, newTar] = positionals;
if (!oldTar || !newTar || !isCompression(values.compression)) {
  throw new Error('usage: node bench/chunker.ts OLD.tar NEW.tar [--compression lz4]');
}
const dir = await mkdtemp(join(process.env.TMPDIR ?? tmpdir(), 'forage-bench-'));
try {
  const images = [
    await imageOf(oldTar, values.compression, dir),
    await imageOf(newTar, values.compression, dir),
  ] as const;
  const rows = [];
  for (const name of Object.keys(CANDIDATES)) rows.push(await compare(name, ...images));
  console.table(rows);
  const file = await open(images[1]);
  const { size } = await file.stat();
  const metadata = metadataPages((into, at) => readSync(file.fd, into, 0, into.length, at), size);
  console.log(
    `metadata: ${metadata.size} pages, ${((100 * metadata.size * PAGE_BYTES) / size).toFixed(2)}% of the image`,
  );
  await file.close();
} finally {
  await rm(dir, { recursive: true, force: true });
}
