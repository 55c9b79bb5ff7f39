/** What tests of checkpoints share: a container that is begun on n1, its checkpoint, and that nothing is left behind. */
import type { Test } from 'tap';
import { type Cluster, collectGarbage, eventually } from './cluster.ts';
import { start, type Workload } from './workloads.ts';

/** What the tests read of `forage checkpoint ls --json`. */
export interface CheckpointJson {
  id: string;
  container: string;
  memory_bytes: number;
  /** Writable volumes. */
  volume_roots: string[];
}

/** Declares a test that begins with no containers and no checkpoints, and must leave none on any of the nodes. */
export function scenarios(t: Test, cluster: Cluster, nodes: readonly string[]) {
  return (name: string, run: (t: Test) => Promise<void>) =>
    t.test(name, async (t) => {
      try {
        await run(t);
      } finally {
        await clean(cluster, nodes);
      }
      for (const node of nodes) t.same(await left(cluster, node), [], `nothing is left on ${node}`);
    });
}

/** Answers the id that containerd knows it by. */
export async function begin(
  cluster: Cluster,
  name: string,
  workload: Workload,
  net?: 'none' | 'host',
): Promise<{ id: string; state: string }> {
  const state = await start(cluster, 'n1', name, workload, net);
  const id = (await cluster.sh('n1', `nerdctl ps -q --no-trunc --filter name=${name}`)).trim();
  return { id, state };
}

export async function checkpoint(
  cluster: Cluster,
  name: string,
  container: string,
  ...more: string[]
): Promise<CheckpointJson> {
  const argv = ['forage', 'checkpoint', 'create', container, '--name', name, '--json', ...more];
  return JSON.parse(await cluster.sh('n1', argv.join(' '))) as CheckpointJson;
}

export async function list(cluster: Cluster): Promise<CheckpointJson[]> {
  return JSON.parse(await cluster.sh('n1', 'forage checkpoint ls --json')) as CheckpointJson[];
}

/** No containers, no checkpoints; images stay. */
export async function clean(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  await removeContainers(cluster, nodes);
  for (const { id } of await list(cluster)) await cluster.sh('n1', `forage checkpoint rm ${id}`);
}

export async function removeContainers(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  for (const node of nodes) {
    await cluster.sh(
      node,
      `nerdctl ps -aq | xargs -r nerdctl rm -f > /dev/null 2>&1 || true
       for id in $(ctr container ls -q); do ctr task kill -s KILL $id; ctr task rm -f $id; ctr container rm $id; done > /dev/null 2>&1 || true
       ctr container ls -q | wc -l | grep -qx 0`,
    );
    await collectGarbage(cluster, node);
  }
}

/** Processes and mounts of restores, dumps, checkpoints. Layers of images that are here stay mounted for a while. */
export async function left(cluster: Cluster, node: string, kept: readonly string[] = []): Promise<string[]> {
  const script = `
    pgrep -af '[l]azy-pages|[s]him/main.ts|[c]riu: ' || true
    find /run/forage/staging /var/lib/forage/staging /run/forage/restores -mindepth 1 2> /dev/null || true
    forage checkpoint ls --json | grep '"id"' || true
    awk '/ - erofs /{print $5}' /proc/self/mountinfo`;
  let lines: string[] = [];
  await eventually('no leftovers', async () => {
    const layers = (await cluster.volumes(node)).map(({ root }) => root);
    lines = (await cluster.sh(node, script))
      .split('\n')
      .filter((line) => !kept.some((id) => line.includes(`"${id}"`)))
      .filter((line) => line !== '' && !layers.some((root) => line.endsWith(root)));
    return lines.length === 0;
  }).catch(() => {});
  return lines;
}
