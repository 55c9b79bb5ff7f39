/**
 * Builds one layer of an image, or finds it in the cache.
 *
 * In the cache a layer is a folder: `diff`, its files, if packages made it, so that more can be installed upon it;
 * and a folder for each way of compressing its blob that an image asked for.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type LayerBlob, packBlob, readBlob } from './blob.ts';
import { buildFolder, cachePaths, keyOf } from './cache.ts';
import { debianScript, installScript, makeDebian, slimScript, updateScript } from './debian.ts';
import { type Compression, debian, type Layer } from './recipe.ts';
import { runInRoot } from './rootfs.ts';
import { type TarEntry, tarBytes } from './tar.ts';
import { tarOfUpper } from './upper.ts';

/** Change it when layers built by older code are of no use any more. */
const FORMAT = 1;

type WrittenLayer = Extract<Layer, { kind: 'files' | 'tar' }>;
type PackageLayer = Exclude<Layer, WrittenLayer>;

export interface BuiltLayer {
  layer: Layer;
  key: string;
  folder: string;
  below: BuiltLayer | undefined;
}

const isWritten = (layer: Layer): layer is WrittenLayer => layer.kind === 'files' || layer.kind === 'tar';

/** The folders of a layer and of all below it, topmost first: what overlayfs wants for lowers. */
const diffsOf = (built: BuiltLayer | undefined): string[] =>
  built ? [join(built.folder, 'diff'), ...diffsOf(built.below)] : [];

/** Makes a layer's files, unless they are in the cache. A layer that is written as a tar needs none. */
export async function buildLayer(layer: Layer, below?: BuiltLayer): Promise<BuiltLayer> {
  const key = keyOf(FORMAT, ...(isWritten(layer) ? [hashOfTar(layer)] : [below?.key, scriptOf(layer)]));
  const built: BuiltLayer = { layer, key, folder: join(cachePaths.layers, key), below };
  if (existsSync(built.folder)) return built;
  if (isWritten(layer)) mkdirSync(built.folder, { recursive: true });
  else await buildFolder(built.folder, (folder) => makeFiles(layer, folder, below));
  return built;
}

/** Where the root that is being made of packages is seen by the Debian that unpacks them. */
const SLIM_ROOT = '/mnt';

function scriptOf(layer: PackageLayer): string {
  if (layer.kind === 'debian') return debianScript;
  if (layer.kind === 'install') return installScript(layer.packages, layer.script);
  return slimScript(layer.packages, SLIM_ROOT);
}

let listsAreFresh = false;

async function makeFiles(layer: PackageLayer, folder: string, below?: BuiltLayer): Promise<void> {
  const upper = join(folder, 'diff');
  mkdirSync(upper);
  if (layer.kind === 'debian') return makeDebian(upper);
  const scratch = join(folder, 'scratch');
  // Old lists name packages that the mirror no longer has.
  const update = listsAreFresh ? '' : `${updateScript}\n`;
  if (layer.kind === 'install') {
    await runInRoot({ lowers: diffsOf(below), upper, scratch }, update + scriptOf(layer));
  } else {
    // The tools of a Debian unpack the packages; what they change in that Debian itself is thrown away.
    const aside = join(scratch, 'upper');
    mkdirSync(aside, { recursive: true });
    const lowers = diffsOf(await buildLayer(debian));
    const binds: [string, string][] = [[upper, SLIM_ROOT]];
    await runInRoot({ lowers, upper: aside, scratch, binds }, update + scriptOf(layer));
  }
  listsAreFresh = true;
  rmSync(scratch, { recursive: true, force: true });
}

/** The layer's blob, compressed as asked, made unless it is in the cache. */
export async function blobOf(built: BuiltLayer, compression: Compression): Promise<LayerBlob> {
  const folder = join(built.folder, compression);
  if (!existsSync(folder)) {
    await buildFolder(folder, async (temporary) => {
      const scratch = join(temporary, 'scratch');
      mkdirSync(scratch);
      await packBlob(await archiveOf(built, scratch), compression, temporary);
      rmSync(scratch, { recursive: true });
    });
  }
  return readBlob(folder);
}

async function archiveOf({ layer, folder, below }: BuiltLayer, scratch: string): Promise<Readable> {
  if (isWritten(layer)) return Readable.from(archiveBytes(layer));
  return tarOfUpper(join(folder, 'diff'), diffsOf(below), scratch);
}

const archiveBytes = (layer: WrittenLayer): Iterable<Buffer> =>
  layer.kind === 'tar' ? tarBytes(layer.entries(), layer.end) : tarBytes(textFiles(layer.files));

function* textFiles(contents: Record<string, string>): Generator<TarEntry> {
  for (const [path, text] of Object.entries(contents))
    yield { name: path, mode: text.startsWith('#!') ? 0o755 : 0o644, data: Buffer.from(text) };
}

/** What such a layer holds is code's doing, so its key is made of its very bytes. */
function hashOfTar(layer: WrittenLayer): string {
  const hash = createHash('sha256');
  for (const piece of archiveBytes(layer)) hash.update(piece);
  return hash.digest('hex');
}
