/** `hack/cluster push`: skopeo on the host's files, in the registry's network: the shaped uplink is not crossed. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { keeperOf } from './machine.ts';
import { registryName } from './model.ts';
import { labelOf } from './network.ts';
import { run, UserError } from './run.ts';
import { load } from './store.ts';

const reference = /^[a-z0-9]+([._/-][a-z0-9]+)*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

const indexSchema = z.object({
  manifests: z.array(z.object({ annotations: z.record(z.string(), z.string()).optional() })),
});

export async function push(cluster: string, path: string, ref: string): Promise<void> {
  load(cluster);
  if (!reference.test(ref))
    throw new UserError(`"${ref}" is no image reference: write name:tag, such as python:v1`);
  if (!keeperOf(cluster, registryName))
    throw new UserError('the registry is off: hack/cluster start registry');
  if (!existsSync(path)) throw new UserError(`${path} does not exist`);
  const scratch = mkdtempSync(join(tmpdir(), 'forage-push-'));
  try {
    // skopeo takes a colon in a path for the end of the path.
    const image = join(scratch, 'image');
    symlinkSync(resolve(path), image);
    await copy(cluster, await sourceOf(image, path, ref), ref);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function copy(cluster: string, source: string, ref: string): Promise<void> {
  const target = `docker://localhost:5000/${ref}`;
  const skopeo = [
    'skopeo',
    'copy',
    '--quiet',
    '--all',
    '--insecure-policy',
    '--dest-tls-verify=false',
    source,
    target,
  ];
  await run('ip', ['netns', 'exec', labelOf(cluster, registryName), ...skopeo]);
}

/** skopeo's name for a layout or an archive, with the image chosen where there are several. */
async function sourceOf(path: string, shown: string, ref: string): Promise<string> {
  if (statSync(path).isDirectory()) {
    const index = join(path, 'index.json');
    if (!existsSync(index)) throw new UserError(`${shown} is no OCI layout: it has no index.json`);
    return `oci:${path}${imageIn(readFileSync(index, 'utf8'), ref, shown)}`;
  }
  const names = (await run('tar', ['--list', '--file', path]))
    .split('\n')
    .map((name) => name.replace(/^\.\//, ''));
  if (!names.includes('oci-layout')) return `docker-archive:${path}`;
  const member = names.includes('index.json') ? 'index.json' : './index.json';
  const index = await run('tar', ['--extract', '--to-stdout', '--file', path, '--wildcards', `*${member}`]);
  return `oci-archive:${path}${imageIn(index, ref, shown)}`;
}

/** ":name" of the image to push; nothing where there is just one. */
function imageIn(index: string, ref: string, path: string): string {
  const { manifests } = indexSchema.parse(JSON.parse(index));
  if (manifests.length === 1) return '';
  const names = manifests.map(({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] ?? '');
  const wanted = [ref, ref.slice(ref.lastIndexOf(':') + 1)].find((name) => names.includes(name));
  if (wanted) return `:${wanted}`;
  throw new UserError(`${path} holds ${names.length} images (${names.join(', ')}), none named ${ref}`);
}
