/**
 * Finds out, from an image's own tars, which directories have an mtime that means nothing.
 *
 * Of a directory that is in several layers, overlayfs shows the attributes of the topmost. containerd sets its mtime
 * after everything in it was made, if that layer's tar has an entry for it. If the tar only names something inside (a
 * file, a whiteout, a mark), the mtime is the time of unpacking. An entry for the root is never used.
 */
import { createReadStream } from 'node:fs';
import { posix } from 'node:path';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { blobPath, layersOf } from './images.ts';
import { type TarName, tarNames } from './tar-names.ts';
import { escapeBytes } from './tree.ts';

const ROOT = '.';

/** The directories that no entry describes where it counts, by their escaped path. Layers from the bottom up. */
export async function undescribedDirectories(layers: AsyncIterable<TarName>[]): Promise<Set<string>> {
  const described = new Map<string, boolean>();
  for (const layer of layers)
    for (const [path, explicit] of await directoriesOf(layer)) described.set(path, explicit);
  described.set(ROOT, false);
  return new Set([...described].filter(([, explicit]) => !explicit).map(([path]) => escapeBytes(path)));
}

/** Every directory that a layer has or implies, and whether an entry describes it. */
async function directoriesOf(layer: AsyncIterable<TarName>): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  for await (const { name, directory } of layer) {
    const path = posix.normalize(`/${name}`).replace(/^\/|\/$/g, '') || ROOT;
    if (directory) found.set(path, true);
    for (
      let parent = posix.dirname(path);
      parent !== ROOT && !found.has(parent);
      parent = posix.dirname(parent)
    )
      found.set(parent, false);
  }
  return found;
}

const DECOMPRESSORS: Record<string, (() => NodeJS.ReadWriteStream) | undefined> = {
  'application/vnd.oci.image.layer.v1.tar+gzip': createGunzip,
  'application/vnd.oci.image.layer.v1.tar+zstd': createZstdDecompress,
};

/** The names in each layer of an OCI layout's only image, from the bottom up. */
export function layersOfLayout(layout: string): AsyncIterable<TarName>[] {
  return layersOf(layout).map(({ digest, mediaType }) => {
    const decompressor = DECOMPRESSORS[mediaType]?.();
    const packed = createReadStream(blobPath(layout, digest));
    return tarNames(decompressor ? (packed.pipe(decompressor) as AsyncIterable<Buffer>) : packed);
  });
}
