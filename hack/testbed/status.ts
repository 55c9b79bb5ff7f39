/** `hack/cluster status` and `ls`: what there is, for people and for scripts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { stateOf } from './machine.ts';
import { type Cluster, isNode } from './model.ts';
import { exists, list, load } from './store.ts';
import { formatRate } from './units.ts';

export function status(cluster: Cluster) {
  return {
    name: cluster.name,
    containerd: cluster.containerd,
    nerdctl: cluster.trees.some((tree) => existsSync(join(tree, 'usr/bin/nerdctl'))),
    rttMs: cluster.rttMs,
    cuts: cluster.cuts,
    machines: cluster.machines.map((machine) => ({
      name: machine.name,
      address: machine.address,
      rateBits: machine.rateBits,
      state: stateOf(cluster.name, machine.name),
    })),
  };
}

export function printStatus(cluster: Cluster, json: boolean): void {
  const report = status(cluster);
  if (json) {
    console.log(JSON.stringify(report, null, 2));
    return;
  }
  const nerdctl = report.nerdctl ? 'nerdctl' : 'no nerdctl';
  console.log(
    `${cluster.name}: containerd ${cluster.containerd}, ${nerdctl}, ${cluster.rttMs} ms added round trip`,
  );
  for (const { name, address, rateBits, state } of report.machines) {
    console.log(`  ${name.padEnd(9)} ${state.padEnd(8)} ${address.padEnd(12)} ${formatRate(rateBits)}`);
  }
  for (const group of cluster.cuts) console.log(`  cut off from all others: ${group.join(', ')}`);
}

export function printList(json: boolean): void {
  const clusters = list().map((name) => {
    const cluster = exists(name) ? load(name) : undefined;
    const machines = cluster?.machines ?? [];
    const on = machines.filter((machine) => stateOf(name, machine.name) !== 'off').length;
    return {
      name,
      finished: cluster !== undefined,
      nodes: machines.filter(isNode).length,
      on,
      of: machines.length,
    };
  });
  if (json) {
    console.log(JSON.stringify(clusters, null, 2));
    return;
  }
  for (const { name, finished, nodes, on, of } of clusters) {
    console.log(finished ? `${name}: ${nodes} nodes, ${on} of ${of} machines on` : `${name}: half made`);
  }
}
