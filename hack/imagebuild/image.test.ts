import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import t from 'tap';
import { blobPath, layersOf } from '../../integration/lib/images.ts';
import type { Compression, Recipe } from './recipe.ts';

// The cache folder is read from the environment when these are imported.
process.env.FORAGE_CACHE = t.testdir();
const { makeCacheFolders } = await import('./cache.ts');
const { buildLayers, writeImage } = await import('./image.ts');
const { files, tar } = await import('./recipe.ts');
const { file } = await import('./entries.ts');
makeCacheFolders();

const recipe = (text: string, compression: Compression): Recipe => ({
  layers: [tar(() => [file('data', text.repeat(1000))]), files({ 'srv/run': `#!/bin/sh\necho ${text}` })],
  compression,
  cmd: ['/srv/run'],
  env: { FRUIT: 'apple' },
  smoke: { argv: ['/srv/run'], prints: text },
});

const build = async (name: string, of: Recipe) => writeImage(await buildLayers(name, of));
const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const unpack = { gzip: gunzipSync, zstd: zstdDecompressSync, none: (bytes: Buffer) => bytes };

for (const compression of ['gzip', 'zstd', 'none'] as const) {
  t.test(`an image with layers packed by ${compression} is what its digests say`, async (t) => {
    const { path, ref, digest, layers } = await build(compression, recipe('apple', compression));
    t.equal(ref, `${compression}:latest`);
    t.equal(layers, 2);
    const blob = (of: string) => {
      const bytes = readFileSync(blobPath(path, of));
      t.equal(digestOf(bytes), of, 'a blob under its digest');
      return bytes;
    };
    const manifest = JSON.parse(blob(digest).toString());
    const { config, rootfs } = JSON.parse(blob(manifest.config.digest).toString());
    t.match(config, {
      Cmd: ['/srv/run'],
      Env: ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'FRUIT=apple'],
    });
    const unpacked = layersOf(path).map((layer) => digestOf(unpack[compression](blob(layer.digest))));
    t.same(unpacked, rootfs.diff_ids, 'the diffIDs are of the unpacked layers');
  });
}

t.test(
  'what is there is used again; a changed recipe makes a new image and shares what is the same',
  async (t) => {
    const first = await build('again', recipe('pear', 'gzip'));
    const index = join(first.path, 'index.json');
    const before = statSync(index).ino;
    t.same(await build('again', recipe('pear', 'gzip')), first);
    t.equal(statSync(index).ino, before, 'nothing was written');

    const changed = await build('again', { ...recipe('pear', 'gzip'), env: { FRUIT: 'pear' } });
    t.not(changed.digest, first.digest);
    const inode = (name: string) => statSync(blobPath(name, layersOf(name)[0]!.digest)).ino;
    const other = await build('other', recipe('pear', 'gzip'));
    t.equal(inode(other.path), inode(changed.path), 'layers are hard links to one blob');
  },
);
