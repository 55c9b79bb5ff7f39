/**
 * A cluster's network: a namespace that is its switch, in it one bridge for each class of machines that may talk to
 * each other, and a port for each machine. Namespaces keep clusters apart: they all use the same addresses.
 */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from './model.ts';
import { partition } from './partition.ts';
import { outcomeOf, run } from './run.ts';
import { clusterDir } from './store.ts';

/** nN is 10.90.0.N. Not a network that CNI's defaults use. */
export const addressOf = (number: number): string => `10.90.0.${number}`;

export const labelOf = (cluster: string, machine: string): string => `forage-${cluster}-${machine}`;
export const switchOf = (cluster: string): string => labelOf(cluster, 'switch');
export const portOf = (machine: string): string => machine;

export const machineDir = (cluster: string, machine: string): string => join(clusterDir(cluster), machine);

const bridgeOf = (cluster: Cluster, machine: string): string =>
  `switch${partition(
    cluster.machines.map(({ name }) => name),
    cluster.cuts,
  ).get(machine)}`;

/** Makes the switch; nothing happens if it is there. */
export async function makeSwitch(cluster: Cluster): Promise<void> {
  const netns = switchOf(cluster.name);
  if (!existsSync(`/run/netns/${netns}`)) await run('ip', ['netns', 'add', netns]);
}

/** Every machine's port goes to the bridge of its class; machines that are off are plugged in there when they start. */
export async function arrangePorts(cluster: Cluster): Promise<void> {
  const netns = switchOf(cluster.name);
  for (const machine of cluster.machines) {
    const bridge = bridgeOf(cluster, machine.name);
    writeFileSync(join(machineDir(cluster.name, machine.name), 'bridge'), bridge);
    await makeBridge(netns, bridge);
    const port = portOf(machine.name);
    const there = await outcomeOf('ip', ['-n', netns, 'link', 'show', port]);
    if (there.status === 0) await run('ip', ['-n', netns, 'link', 'set', port, 'master', bridge]);
  }
}

async function makeBridge(netns: string, bridge: string): Promise<void> {
  if ((await outcomeOf('ip', ['-n', netns, 'link', 'show', bridge])).status === 0) return;
  const settings = ['forward_delay', '0', 'stp_state', '0', 'mcast_snooping', '0'];
  await run('ip', ['-n', netns, 'link', 'add', bridge, 'type', 'bridge', ...settings]);
  await run('ip', ['-n', netns, 'link', 'set', bridge, 'addrgenmode', 'none', 'up']);
}

/** Takes the cable out at the switch's end: from now on the machine's last words reach nobody. */
export const unplug = (cluster: string, machine: string): Promise<unknown> =>
  outcomeOf('ip', ['-n', switchOf(cluster), 'link', 'set', portOf(machine), 'down']);

/** Removes the cable and the machine's namespace. The port goes by name: with the namespace alone it would go later. */
export async function removeCable(cluster: string, machine: string): Promise<void> {
  await outcomeOf('ip', ['-n', switchOf(cluster), 'link', 'delete', portOf(machine)]);
  await removeNamespace(labelOf(cluster, machine));
}

/** Removes a namespace, and with it all that is plugged into it; nothing happens if it is not there. */
export async function removeNamespace(netns: string): Promise<void> {
  if (existsSync(`/run/netns/${netns}`)) await run('ip', ['netns', 'delete', netns]);
}
