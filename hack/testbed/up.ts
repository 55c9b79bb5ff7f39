/** `hack/cluster up`: from nothing to machines whose containerd answers. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { makeCertificates } from './certificates.ts';
import { crictlTree } from './crictl.ts';
import { baseTree } from './debian.ts';
import { forageTrees, removeOldTrees } from './forage-tree.ts';
import { powerOn } from './machine.ts';
import { type Cluster, checkClusterName, isNode, registryName } from './model.ts';
import { nerdctlTree } from './nerdctl.ts';
import { addressOf, arrangePorts, machineDir, makeSwitch } from './network.ts';
import { newerTrees } from './newer-trees.ts';
import { cacheDir } from './paths.ts';
import { waitUntilReady } from './ready.ts';
import { say, UserError } from './run.ts';
import { clusterDir, exists, save, withCluster } from './store.ts';

export interface UpOptions {
  name: string;
  nodes: number;
  linkBits: number;
  uplinkBits: number;
  rttMs: number;
  containerd: Cluster['containerd'];
}

/** All shared trees of a node, topmost first. */
export async function nodeTrees(containerd: Cluster['containerd']): Promise<string[]> {
  const base = baseTree().then((tree) => [tree]);
  const parts = [forageTrees(), nerdctlTree(), crictlTree(), newerTrees(containerd), base];
  return (await Promise.all(parts)).flat();
}

const overlayMagic = 0x794c7630;

/** The cache's path becomes part of mount options, its file system the upper layer of overlays. */
function checkCache(): void {
  mkdirSync(cacheDir, { recursive: true });
  if (!/^[\w./-]+$/.test(cacheDir))
    throw new UserError(`FORAGE_CACHE=${cacheDir}: use letters, digits and ._-/ only`);
  if (statfsSync(cacheDir).type === overlayMagic) {
    throw new UserError(`${cacheDir} is on an overlay: set FORAGE_CACHE to a folder on ext4, xfs or btrfs`);
  }
}

export const up = (options: UpOptions): Promise<void> =>
  withCluster(checkClusterName(options.name), async () => {
    if (exists(options.name)) {
      throw new UserError(
        `cluster "${options.name}" is there already: hack/cluster down --name ${options.name} removes it`,
      );
    }
    if (existsSync(clusterDir(options.name))) throw new UserError(leftover(options.name));
    checkCache();
    const started = performance.now();
    const cluster = plan(options, await nodeTrees(options.containerd));
    for (const machine of cluster.machines)
      mkdirSync(machineDir(cluster.name, machine.name), { recursive: true });
    save(cluster);
    removeOldTrees();
    const nodes = cluster.machines.filter(isNode).map(({ name }) => name);
    await Promise.all([
      makeCertificates(cluster, nodes),
      makeSwitch(cluster).then(() => arrangePorts(cluster)),
    ]);
    for (const machine of cluster.machines) powerOn(cluster, machine);
    await Promise.all(cluster.machines.map((machine) => waitUntilReady(cluster, machine)));
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`cluster "${cluster.name}" is up after ${seconds} s: ${nodes.join(', ')} and the registry`);
  });

const leftover = (name: string): string =>
  `cluster "${name}" was begun and not finished: hack/cluster down --name ${name} removes it`;

function plan(options: UpOptions, trees: string[]): Cluster {
  const nodes = Array.from({ length: options.nodes }, (_, index) => ({
    name: `n${index + 1}`,
    address: addressOf(index + 1),
    rateBits: options.linkBits,
  }));
  const registry = { name: registryName, address: addressOf(254), rateBits: options.uplinkBits };
  const { name, rttMs, containerd } = options;
  return { name, machines: [...nodes, registry], rttMs, containerd, trees, cuts: [] };
}
