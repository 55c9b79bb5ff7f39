/**
 * podman's own way to move a container: `podman container checkpoint --export`, copy over HTTP, `podman container restore --import`.
 * Nodes of hack/cluster have no podman and reach no mirror, so Debian's packages are unpacked into those two that need it.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { baseSuite, openSuite } from '../hack/testbed/debian.ts';
import { digest, tree } from '../hack/testbed/trees.ts';
import type { Cluster } from '../integration/lib/cluster.ts';
import { program, quoted, type Row, served, Watched } from './restore-program.ts';

/** podman, and what it needs and nodes have not. It runs containers with the runc that is there. */
const PACKAGES = ['podman', 'conmon', 'netavark', 'libatomic1', 'libglib2.0-0t64', 'libsubid5'];
const ARCHIVE = '/var/lib/forage/podman.tar';
const PODMAN = 'PODMAN_IGNORE_CGROUPSV1_WARNING=1 podman';

/** Its storage must not lie on an overlay, as a node's root does, and CRIU must not restore cgroups that the node's own cgroup is no part of. */
const CONFIGURE = `
cat > /etc/containers/storage.conf << END
[storage]
driver = "overlay"
graphroot = "/var/lib/containerd/podman"
runroot = "/run/containers/storage"
END
cat > /etc/containers/containers.conf << END
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
END
mkdir -p /etc/criu
echo manage-cgroups=ignore > /etc/criu/podman.conf
`;

const podmanTree = (): Promise<string> =>
  tree('podman', digest(baseSuite, ...PACKAGES), async (target) => {
    const suite = await openSuite(baseSuite);
    await suite.unpack(PACKAGES, target);
    rmSync(join(target, 'etc/cni'), { recursive: true, force: true }); // nerdctl would take it for a network of its own
  });

async function install(cluster: Cluster, node: string, image: string): Promise<void> {
  const input = execFileSync('tar', ['c', '-C', await podmanTree(), '.'], { maxBuffer: 2 ** 30 });
  await cluster.sh(node, 'tar x --keep-directory-symlink -C /', { input });
  await cluster.sh(node, `${CONFIGURE} ${PODMAN} pull --quiet --tls-verify=false ${image}`);
  await forget(cluster, node); // what a run that was interrupted has left
}

const forget = (cluster: Cluster, node: string) =>
  cluster.sh(node, `${PODMAN} rm --force --ignore --time 0 big; rm -f ${ARCHIVE}`);

async function watched(cluster: Cluster, node: string): Promise<Watched> {
  const inspect = `${PODMAN} inspect --format '{{.GraphDriver.Data.MergedDir}}' big`;
  return new Watched(cluster, node, (await cluster.sh(node, inspect)).trim());
}

/**
 * From n1 to n5, which has the image already. Timed from the moment at which the archive is there: without compression, which noise
 * would only be held up by.
 */
export async function byPodman(cluster: Cluster, image: string, megabytes: number): Promise<Row> {
  const nodes = ['n1', 'n5'];
  for (const node of nodes) await install(cluster, node, image);
  try {
    await checkpoint(cluster, image, megabytes);
    return await restore(cluster);
  } finally {
    for (const node of nodes) await forget(cluster, node);
  }
}

async function checkpoint(cluster: Cluster, image: string, megabytes: number): Promise<void> {
  await cluster.sh(
    'n1',
    `${PODMAN} run --detach --name big --network none --annotation org.criu.config=/etc/criu/podman.conf \
       ${image} python3 -c ${quoted(program(megabytes))}`,
  );
  await (await watched(cluster, 'n1')).filled();
  await cluster.sh('n1', `${PODMAN} container checkpoint big --compress none --export ${ARCHIVE}`);
  execFileSync('sync');
}

async function restore(cluster: Cluster): Promise<Row> {
  const script = `date +%s.%N; curl -sf http://n1:8000/ > ${ARCHIVE} && ${PODMAN} container restore --import ${ARCHIVE}`;
  const told = await served(cluster, ARCHIVE, () => cluster.sh('n5', script));
  const moved = await watched(cluster, 'n5');
  const firstStepSeconds = await moved.firstStep(Number(told.split('\n')[0]));
  await moved.verified();
  return { how: 'podman', firstStepSeconds, allSeconds: firstStepSeconds };
}
