/** What the tests know of the images of hack/images. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** As `hack/images --json` describes it. */
export interface ImageJson {
  name: string;
  /** In the clusters' registry: `registry:5000/<ref>`. */
  ref: string;
  /** The OCI layout on this machine. */
  path: string;
  layers: number;
  compressedBytes: number;
  uncompressedBytes: number;
  /** A command that works and ends, in place of the image's entrypoint and command, and a text that it prints. */
  smoke: { argv: string[]; prints: string };
  /** Why containerd refuses to unpack it, if it does. */
  refused?: string;
}

/** Builds images (all of them, without names), pushes them into a cluster's registry, and describes them. */
export async function images(clusterName: string, ...names: string[]): Promise<ImageJson[]> {
  const tool = fileURLToPath(new URL('../../hack/images', import.meta.url));
  const args = [...names, '--push', '--name', clusterName, '--json'];
  const { stdout } = await promisify(execFile)(tool, args, { maxBuffer: 1 << 24 });
  return JSON.parse(stdout) as ImageJson[];
}

/** The layers of an OCI layout's only image, from the bottom up. */
export function layersOf(layout: string): { digest: string; mediaType: string }[] {
  const [{ digest }] = readJson(join(layout, 'index.json')).manifests as [{ digest: string }];
  return readJson(blobPath(layout, digest)).layers as { digest: string; mediaType: string }[];
}

export const blobPath = (layout: string, digest: string): string =>
  join(layout, 'blobs', digest.replace(':', '/'));

const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8'));
