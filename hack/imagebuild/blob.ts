/** Layer blobs: an archive compressed and hashed on its way to a file, with a description beside it. */
import { createHash, type Hash } from 'node:crypto';
import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip, createZstdCompress } from 'node:zlib';
import type { Compression } from './recipe.ts';

/** A layer's blob, with all that a manifest and a configuration say of it. */
export interface LayerBlob {
  path: string;
  mediaType: string;
  digest: string;
  sizeBytes: number;
  /** Digest of the uncompressed archive. */
  diffId: string;
  uncompressedBytes: number;
}

const MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar';

const FORMS: Record<Compression, { suffix: string; compressor: () => Transform }> = {
  gzip: { suffix: '+gzip', compressor: () => createGzip({ level: 6, chunkSize: 1 << 18 }) },
  zstd: { suffix: '+zstd', compressor: () => createZstdCompress({ chunkSize: 1 << 18 }) },
  none: { suffix: '', compressor: () => new PassThrough() },
};

/** Writes `blob` and `blob.json` into `folder`. */
export async function packBlob(archive: Readable, compression: Compression, folder: string): Promise<void> {
  const { suffix, compressor } = FORMS[compression];
  const plain = new Meter();
  const packed = new Meter();
  await pipeline(archive, plain, compressor(), packed, createWriteStream(join(folder, 'blob')));
  const description: Omit<LayerBlob, 'path'> = {
    mediaType: MEDIA_TYPE + suffix,
    digest: packed.digest(),
    sizeBytes: packed.sizeBytes,
    diffId: plain.digest(),
    uncompressedBytes: plain.sizeBytes,
  };
  writeFileSync(join(folder, 'blob.json'), JSON.stringify(description));
}

export function readBlob(folder: string): LayerBlob {
  const description = JSON.parse(readFileSync(join(folder, 'blob.json'), 'utf8')) as Omit<LayerBlob, 'path'>;
  return { path: join(folder, 'blob'), ...description };
}

/** Passes bytes on, counting and hashing them. */
class Meter extends Transform {
  sizeBytes = 0;
  #hash: Hash = createHash('sha256');

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.sizeBytes += chunk.length;
    this.#hash.update(chunk);
    done(null, chunk);
  }

  digest(): string {
    return `sha256:${this.#hash.digest('hex')}`;
  }
}
