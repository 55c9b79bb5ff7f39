/**
 * How fast does a layer become a volume, and what does it cost?
 *
 *   node bench/ingest.ts LAYER [--compression lz4]...
 *
 * LAYER is a tar, plain, gzip or zstd. For each compression: into empty stores, then again with all blocks there. MB are
 * of the unpacked tar; the stages are timed by themselves beforehand; memory is this process's greatest so far.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Compression, isCompression } from '../blocks/format.ts';
import { type IngestResult, ingestLayer } from '../blocks/ingest.ts';
import { archiveIn, treeOf } from '../blocks/layer-source.ts';
import { openBlockStore } from '../blocks/store.ts';
import { mkfsProgram } from '../blocks/testing.ts';
import { openVolumeStore } from '../blocks/volumes.ts';

async function timed<T>(work: () => Promise<T>): Promise<[T, seconds: number]> {
  const startMs = performance.now();
  const result = await work();
  return [result, (performance.now() - startMs) / 1000];
}

async function measureTar(path: string): Promise<{ diffId: string; bytes: number }> {
  const sha256 = createHash('sha256');
  let bytes = 0;
  for await (const chunk of archiveIn(path)) {
    sha256.update(chunk);
    bytes += chunk.length;
  }
  return { diffId: `sha256:${sha256.digest('hex')}`, bytes };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { compression: { type: 'string', multiple: true, default: ['lz4', 'none'] } },
});
const [layer] = positionals;
if (!layer || !values.compression.every(isCompression)) {
  throw new Error('usage: node bench/ingest.ts LAYER [--compression lz4]...');
}

const [{ diffId, bytes }, hashSeconds] = await timed(() => measureTar(layer));
const [, treeSeconds] = await timed(() => treeOf(layer, diffId, true, () => undefined));
const megabytes = bytes / 1e6;
console.log(
  `${megabytes.toFixed(0)} MB; decompress and hash ${hashSeconds.toFixed(2)} s, with the tree ${treeSeconds.toFixed(2)} s`,
);

const dir = await mkdtemp(join(process.env.TMPDIR ?? tmpdir(), 'forage-bench-'));

async function ingest(compression: Compression): Promise<IngestResult> {
  const workDir = await mkdtemp(join(dir, 'work-'));
  const blocks = await openBlockStore(join(dir, compression, 'blocks'), { guest: true });
  const volumes = await openVolumeStore(join(dir, compression, 'volumes'), { guest: true });
  const job = {
    of: 'layer' as const,
    chainId: diffId,
    parent: '' as const,
    diffId,
    directory: '',
    lowers: [],
    compression,
    workDir,
  };
  try {
    return await ingestLayer({ ...job, mkfs: mkfsProgram() }, createReadStream(layer!), { blocks, volumes });
  } finally {
    await rm(workDir, { recursive: true });
  }
}

const rows = [];
try {
  for (const compression of values.compression as Compression[]) {
    await mkdir(join(dir, compression));
    const [result, seconds] = await timed(() => ingest(compression));
    const [, againSeconds] = await timed(() => ingest(compression));
    rows.push({
      compression,
      s: Number(seconds.toFixed(2)),
      'MB/s': Math.round(megabytes / seconds),
      's, all blocks there': Number(againSeconds.toFixed(2)),
      'image MB': Math.round(result.sizeBytes / 1e6),
      blocks: result.newBlocks,
      'metadata %': Number(((100 * result.metadataBytes) / result.sizeBytes).toFixed(2)),
      'RSS MB': Math.round(process.resourceUsage().maxRSS / 1000),
    });
  }
  console.table(rows);
} finally {
  await rm(dir, { recursive: true, force: true });
}
