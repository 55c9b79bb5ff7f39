/**
 * What bench/read.ts reads: a real tree of about 300 MB, as a directory, as an EROFS image in one file, and as a volume
 * of blocks. Made once and kept in the cache folder.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { blockIdOf } from '../blocks/block.ts';
import { chunks } from '../blocks/chunker.ts';
import { metadataPages } from '../blocks/erofs.ts';
import { mkfsOptions } from '../blocks/format.ts';
import { makeImage } from '../blocks/mkfs.ts';
import { openBlockStore } from '../blocks/store.ts';
import { mkfsProgram } from '../blocks/testing.ts';
import type { Root } from '../blocks/types.ts';
import { type BlockEntry, encodeIndex, rootOf } from '../blocks/volume.ts';
import { openVolumeStore } from '../blocks/volumes.ts';

const TREE_BYTES = 300 * 1000 * 1000;
/** Programs, libraries, many small files: what layers are made of. */
const SOURCES = ['bin', 'sbin', 'lib/python3', 'lib/x86_64-linux-gnu', 'lib/gcc', 'share'];
/** For sequential and random reads of one file: half of it compresses. */
export const LARGE_FILE = 'large.bin';
/** Many files rather than a few large ones: a tree of this size then has some thousands. */
const FILE_BYTES_MAX = 500_000;
const LARGE_FILE_BYTES = 100 * 1024 * 1024;

export interface Bed {
  /** The tree as it was before it became an image. */
  tree: string;
  image: string;
  /** The root folder of a node that has all of the volume's blocks. */
  root: string;
  volume: Root;
}

/** Makes what is not there yet in `dir`. */
export async function makeBed(dir: string): Promise<Bed> {
  const bed = { tree: join(dir, 'tree'), image: join(dir, 'image'), root: join(dir, 'root') };
  if (!existsSync(bed.root)) {
    await rm(dir, { recursive: true, force: true });
    await mkdir(bed.tree, { recursive: true });
    copyTree(bed.tree);
    const tar = spawn('tar', ['-C', bed.tree, '--sort=name', '-cf', '-', '.'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const options = mkfsOptions(`sha256:${'0'.repeat(64)}`, 'lz4');
    await makeImage({ program: mkfsProgram(), options, tempDir: dir }, tar.stdout, bed.image);
    await makeVolume(bed.image, `${bed.root}.new`);
    await rename(`${bed.root}.new`, bed.root);
    execFileSync('sync');
  }
  const [volume] = readdirSync(join(bed.root, 'volumes'));
  return { ...bed, volume: volume! };
}

function copyTree(tree: string): void {
  const names: string[] = [];
  let bytes = 0;
  const visit = (name: string): void => {
    const stat = lstatSync(join('/usr', name));
    if (stat.isDirectory())
      for (const child of readdirSync(join('/usr', name)).sort()) visit(`${name}/${child}`);
    else if (stat.size <= FILE_BYTES_MAX && bytes + stat.size <= TREE_BYTES - LARGE_FILE_BYTES) {
      names.push(name);
      bytes += stat.size;
    }
  };
  for (const source of SOURCES) if (existsSync(join('/usr', source))) visit(source);
  execFileSync('sh', ['-c', `tar -C /usr -cf - -T - | tar -C '${tree}' -xf -`], { input: names.join('\n') });
  const large = Buffer.alloc(LARGE_FILE_BYTES);
  let x = 1;
  for (let at = 0; at < large.length; at += 8) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    large.writeUInt32LE(x, at);
  }
  writeFileSync(join(tree, LARGE_FILE), large);
}

async function makeVolume(image: string, root: string): Promise<void> {
  const blocks = await openBlockStore(join(root, 'blocks'));
  const volumes = await openVolumeStore(join(root, 'volumes'));
  const file = await open(image, 'r');
  try {
    const { size } = await file.stat();
    const readAt = (into: Buffer, position: number) => readSync(file.fd, into, 0, into.length, position);
    const metadata = metadataPages(readAt, size);
    const entries: BlockEntry[] = [];
    for await (const chunk of chunks(readAt, size, (page) => metadata.has(page))) {
      const id = blockIdOf(chunk.bytes);
      await blocks.put(id, chunk.bytes);
      entries.push({ id, sizeBytes: chunk.bytes.length, metadata: chunk.metadata });
    }
    const encoded = encodeIndex('bench-1', entries);
    await volumes.put(rootOf(encoded), encoded);
  } finally {
    await file.close();
  }
}
