/** What the tests know of the images of hack/images. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';

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

/** The image as `docker save` would have it, under a name: for nodes that are to have it from no registry. */
export async function archive({ path }: ImageJson, name: string): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'forage-archive-'));
  try {
    // skopeo takes a colon in a path for the end of the path.
    const [layout, file] = [join(dir, 'layout'), join(dir, 'image.tar')];
    await symlink(path, layout);
    const args = ['copy', '--quiet', '--insecure-policy', `oci:${layout}`, `docker-archive:${file}:${name}`];
    await promisify(execFile)('skopeo', args);
    return await readFile(file);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** The layers of an OCI layout's only image, from the bottom up. */
export function layersOf(layout: string): { digest: string; mediaType: string }[] {
  const [{ digest }] = readJson(join(layout, 'index.json')).manifests as [{ digest: string }];
  return readJson(blobPath(layout, digest)).layers as { digest: string; mediaType: string }[];
}

/** The diffIDs of the layers of an OCI layout's only image, from the bottom up. */
export function diffIdsOf(layout: string): string[] {
  const [{ digest }] = readJson(join(layout, 'index.json')).manifests as [{ digest: string }];
  const { config } = readJson(blobPath(layout, digest)) as { config: { digest: string } };
  const { rootfs } = readJson(blobPath(layout, config.digest)) as { rootfs: { diff_ids: string[] } };
  return rootfs.diff_ids;
}

/**
 * How many of an image's layer blobs a node has in containerd's content store. They need not be those of the layout: what
 * was not compressed is when it is pushed.
 */
export async function layersHeld(
  cluster: Cluster,
  machine: string,
  { ref }: ImageJson,
  namespace = 'default',
): Promise<number> {
  const lines = await cluster.sh(machine, `ctr -n ${namespace} image check`);
  const line = lines.split('\n').find((candidate) => candidate.includes(`/${ref} `));
  const [, blobs] = /complete \((\d+)\/\d+\)/.exec(line ?? '') ?? [];
  if (blobs === undefined) throw new Error(`${machine} has no ${ref} in ${namespace}: ${lines}`);
  return Number(blobs) - 1; // one is the configuration
}

export const blobPath = (layout: string, digest: string): string =>
  join(layout, 'blobs', digest.replace(':', '/'));

const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, 'utf8'));
