/**
 * Small files of a machine that a container sees in its place (resolv.conf, hosts, hostname, as nerdctl binds them): they travel in the
 * checkpoint's document, and where the other machine has no such file they are written below this node's root, a folder a container.
 */
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Containers } from '../containerd/containers.ts';
import { RefusedError } from '../control.ts';
import type { CheckpointDocument } from './document.ts';
import { bindsOf, type OciSpec } from './spec.ts';

const MAX_FILE_BYTES = 64 << 10;

export type BoundFile = NonNullable<CheckpointDocument['made']>['boundFiles'][number];

/** What of the container's binds can travel. */
export async function readBoundFiles(spec: OciSpec): Promise<BoundFile[]> {
  const files: BoundFile[] = [];
  for (const { source, destination } of bindsOf(spec)) {
    const found = await statOf(source);
    if (!found?.isFile() || found.size > MAX_FILE_BYTES) continue;
    const content = (await readFile(source)).toString('base64');
    files.push({ destination, mode: found.mode & 0o777, content });
  }
  return files;
}

/** By destination, what is to be bound instead of what is not on this machine. Rejects with RefusedError where there is nothing. */
export async function placeBoundFiles(
  spec: OciSpec,
  files: readonly BoundFile[],
  folder: string,
): Promise<Map<string, string>> {
  const placed = new Map<string, string>();
  for (const { source, destination } of bindsOf(spec)) {
    if (await statOf(source)) continue;
    const file = files.find((candidate) => candidate.destination === destination);
    if (!file)
      throw new RefusedError(
        'state',
        `the container's ${destination} is ${source} of its machine, which is not on this one`,
      );
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const path = join(folder, String(placed.size));
    await writeFile(path, Buffer.from(file.content, 'base64'), { mode: file.mode });
    placed.set(destination, path);
  }
  return placed;
}

/** `<namespace>/<id>`, of containers that are there no longer. */
export async function sweepBoundFiles(root: string, containers: Pick<Containers, 'get'>): Promise<void> {
  for (const namespace of await namesIn(root)) {
    for (const id of await namesIn(join(root, namespace))) {
      if (await containers.get(namespace, id)) continue;
      await rm(join(root, namespace, id), { recursive: true, force: true });
    }
  }
}

function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function statOf(path: string) {
  return stat(path).catch(() => undefined);
}
