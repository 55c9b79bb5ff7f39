/** Pods of a node, by crictl: what a kubelet asks of containerd. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from './cluster.ts';

export interface Pod {
  node: string;
  /** CRI's. */
  id: string;
  address: string;
  /** For crictl, which takes files only. Logs are `<container>.log`. */
  folder: string;
}

/** As a kubelet asks for it: each container has processes of its own. */
const LINUX = { security_context: { namespace_options: { pid: 1 } } };

/** Of the runtime handler `forage`. */
export async function startPod(cluster: Cluster, node: string, name: string): Promise<Pod> {
  const folder = `/run/pods/${name}`;
  const config = {
    metadata: { name, namespace: 'default', uid: `${name}-${node}`, attempt: 0 },
    log_directory: folder,
    linux: LINUX,
  };
  await cluster.sh(node, `mkdir -p ${folder} && cat > ${folder}/pod.json`, { input: JSON.stringify(config) });
  const id = (await cluster.sh(node, `crictl runp --runtime forage ${folder}/pod.json`)).trim();
  const { status } = JSON.parse(await cluster.sh(node, `crictl inspectp ${id}`)) as {
    status: { network: { ip: string } };
  };
  return { node, id, folder, address: status.network.ip };
}

/** `image`: a reference, or the path of a checkpoint's archive. Answers the container's id. */
export async function startContainer(
  cluster: Cluster,
  { node, id, folder }: Pod,
  name: string,
  image: string,
  command: readonly string[] = [],
): Promise<string> {
  const config = { metadata: { name }, image: { image }, command, log_path: `${name}.log`, linux: LINUX };
  await cluster.sh(node, `cat > ${folder}/${name}.json`, { input: JSON.stringify(config) });
  const create = `crictl create ${id} ${folder}/${name}.json ${folder}/pod.json`;
  return (await cluster.sh(node, `crictl start $(${create})`)).trim();
}

/** Pushes an image as a kubelet is given a checkpoint: of one layer, the archive, and annotated with the container's name. */
export async function pushCheckpoint(
  cluster: Cluster,
  archive: Buffer,
  container: string,
  ref: string,
): Promise<void> {
  const layout = await mkdtemp(join(tmpdir(), 'forage-checkpoint-'));
  const blob = async (content: Buffer | object) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(layout, 'blobs/sha256', hash), bytes);
    return { digest: `sha256:${hash}`, size: bytes.length };
  };
  try {
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    const layer = await blob(archive);
    const rootfs = { type: 'layers', diff_ids: [layer.digest] };
    const config = await blob({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      rootfs,
    });
    const mediaType = (kind: string) => ({ mediaType: `application/vnd.oci.image.${kind}` });
    const manifest = await blob({
      schemaVersion: 2,
      ...mediaType('manifest.v1+json'),
      config: { ...mediaType('config.v1+json'), ...config },
      layers: [{ ...mediaType('layer.v1.tar'), ...layer }],
      annotations: { 'org.criu.checkpoint.container.name': container },
    });
    const manifests = [{ ...mediaType('manifest.v1+json'), ...manifest }];
    await writeFile(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
    await writeFile(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    await cluster.do('push', layout, ref);
  } finally {
    await rm(layout, { recursive: true });
  }
}
