/** Puts layers together into an image: an OCI layout folder in the cache, its blobs hard links to the layers'. */
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LayerBlob } from './blob.ts';
import { buildFolder, cachePaths, keyOf } from './cache.ts';
import { type BuiltLayer, blobOf, buildLayer } from './layer.ts';
import type { Recipe } from './recipe.ts';

/** Change it when images put together by older code are of no use any more. */
const FORMAT = 1;
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const CONFIG = 'application/vnd.oci.image.config.v1+json';
const KEY = 'forage.recipe.key';

/** What `--json` says of an image. Sizes are of its layers together. */
export interface Image {
  name: string;
  /** What it is pushed as: the name, with `latest` for a tag if it has none. */
  ref: string;
  /** The OCI layout. */
  path: string;
  digest: string;
  layers: number;
  compressedBytes: number;
  uncompressedBytes: number;
  smoke: Recipe['smoke'];
  refused?: string;
}

export interface BuiltImage {
  name: string;
  recipe: Recipe;
  layers: BuiltLayer[];
}

/** Makes the files of all layers, one after the other: two apt-get at once would wait for each other anyway. */
export async function buildLayers(name: string, recipe: Recipe): Promise<BuiltImage> {
  const layers: BuiltLayer[] = [];
  for (const layer of recipe.layers) layers.push(await buildLayer(layer, layers.at(-1)));
  return { name, recipe, layers };
}

/** Compresses what is not compressed yet, and writes the layout. */
export async function writeImage({ name, recipe, layers }: BuiltImage): Promise<Image> {
  const blobs: LayerBlob[] = [];
  for (const layer of layers) blobs.push(await blobOf(layer, recipe.compression ?? 'gzip'));
  const path = join(cachePaths.images, name);
  const key = keyOf(
    FORMAT,
    recipe,
    blobs.map((blob) => blob.digest),
  );
  if (keyInLayout(path) !== key)
    await buildFolder(path, async (folder) => writeLayout(folder, key, recipe, blobs));
  return {
    name,
    ref: name.includes(':') ? name : `${name}:latest`,
    path,
    digest: readIndex(path).manifests[0]!.digest,
    layers: blobs.length,
    compressedBytes: blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0),
    uncompressedBytes: blobs.reduce((sum, blob) => sum + blob.uncompressedBytes, 0),
    smoke: recipe.smoke,
    refused: recipe.refused,
  };
}

interface Index {
  manifests: { digest: string; annotations?: Record<string, string> }[];
}

const readIndex = (path: string): Index =>
  JSON.parse(readFileSync(join(path, 'index.json'), 'utf8')) as Index;

const keyInLayout = (path: string): string | undefined =>
  existsSync(join(path, 'index.json')) ? readIndex(path).manifests[0]?.annotations?.[KEY] : undefined;

function writeLayout(folder: string, key: string, recipe: Recipe, blobs: LayerBlob[]): void {
  const blobFolder = join(folder, 'blobs', 'sha256');
  mkdirSync(blobFolder, { recursive: true });
  for (const blob of blobs) {
    const link = join(blobFolder, blob.digest.slice('sha256:'.length));
    if (!existsSync(link)) linkSync(blob.path, link);
  }
  const put = (mediaType: string, value: object) => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hash = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobFolder, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const config = put(CONFIG, configOf(recipe, blobs));
  const manifest = put(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: blobs.map(({ mediaType, digest, sizeBytes }) => ({ mediaType, digest, size: sizeBytes })),
  });
  writeFileSync(join(folder, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  const manifests = [{ ...manifest, annotations: { [KEY]: key } }];
  writeFileSync(join(folder, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
}

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function configOf(recipe: Recipe, blobs: LayerBlob[]): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Entrypoint: recipe.entrypoint,
      Cmd: recipe.cmd,
      Env: Object.entries({ PATH: DEFAULT_PATH, ...recipe.env }).map(([name, value]) => `${name}=${value}`),
      User: recipe.user,
      WorkingDir: '/',
    },
    rootfs: { type: 'layers', diff_ids: blobs.map((blob) => blob.diffId) },
    history: blobs.map(() => ({ created_by: 'hack/images' })),
  };
}
