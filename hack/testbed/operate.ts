/** What is done to a cluster that is up: cut and heal its network, power its machines off and on, take it down. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from './folders.ts';
import { enter, initOf, keeperOf, powerOff, powerOn } from './machine.ts';
import { type Cluster, isNode, machineOf } from './model.ts';
import { arrangePorts, machineDir, removeNamespace, switchOf } from './network.ts';
import { waitUntilReady } from './ready.ts';
import { poll, run, say, UserError } from './run.ts';
import { clusterDir, load, save, withCluster } from './store.ts';
import { nodeTrees } from './up.ts';

/** Runs `work` on a cluster while nobody else changes it, and records what it changed. */
const change = (name: string, work: (cluster: Cluster) => Promise<void>): Promise<void> =>
  withCluster(name, async () => {
    const cluster = load(name);
    await work(cluster);
    save(cluster);
  });

export const cut = (name: string, group: string[]): Promise<void> =>
  change(name, async (cluster) => {
    for (const member of group) machineOf(cluster, member);
    cluster.cuts.push(group);
    await arrangePorts(cluster);
  });

export const heal = (name: string): Promise<void> =>
  change(name, async (cluster) => {
    cluster.cuts = [];
    await arrangePorts(cluster);
  });

export const kill = (name: string, machine: string): Promise<void> =>
  change(name, (cluster) => powerOff(name, machineOf(cluster, machine).name));

/** Boots a machine with the checkout's forage of now. */
export const start = (name: string, machineName: string): Promise<void> =>
  change(name, async (cluster) => {
    const machine = machineOf(cluster, machineName);
    if (keeperOf(name, machineName)) throw new UserError(`${machineName} is on`);
    if (isNode(machine)) cluster.trees = await nodeTrees(cluster.containerd);
    save(cluster);
    await powerOff(name, machine.name); // what an ordinary shutdown leaves: cgroups
    powerOn(cluster, machine);
    await waitUntilReady(cluster, machine);
  });

/** Orders a reboot inside, and waits until the machine is ready again. */
export const reboot = (name: string, machineName: string): Promise<void> =>
  change(name, async (cluster) => {
    const machine = machineOf(cluster, machineName);
    const before = initOf(name, machineName);
    if (!before) throw new UserError(`${machineName} is not on: hack/cluster start ${machineName}`);
    const [program, ...args] = enter(before, ['systemctl', 'reboot']);
    await run(program!, args);
    const after = await poll(120_000, 50, () => {
      const init = initOf(name, machineName);
      return init !== before ? init : undefined;
    });
    if (!after) throw new UserError(`${machineName} did not come back`);
    await waitUntilReady(cluster, machine);
  });

export const destroy = (name: string, machineName: string): Promise<void> =>
  change(name, async (cluster) => {
    const machine = machineOf(cluster, machineName);
    await powerOff(name, machine.name);
    for (const folder of ['disk', 'upper', 'work']) {
      await removeFolder(join(machineDir(name, machine.name), folder));
    }
  });

/** Removes all of a cluster. It goes by the folders alone, so it also removes one that is half made or half dead. */
export const down = (name: string): Promise<void> =>
  withCluster(name, async () => {
    const folder = clusterDir(name);
    if (!existsSync(folder)) {
      say(`there is no cluster "${name}"`);
      return;
    }
    const machines = readdirSync(folder).filter((entry) => existsSync(join(folder, entry, 'bridge')));
    await Promise.all(machines.map((machine) => powerOff(name, machine)));
    await removeNamespace(switchOf(name));
    await removeFolder(folder);
    say(`cluster "${name}" is gone`);
  });
