/** What a cluster is, as recorded in its folder, and the rules for names. */
import { z } from 'zod';
import { UserError } from './run.ts';

const machine = z.object({
  /** `n1`, `n2`, ... or `registry`. */
  name: z.string().regex(/^(n[1-9]\d{0,2}|registry)$/),
  /** IPv4 on the cluster's only network. */
  address: z.string(),
  /** Bits a second, each direction of the machine's link. */
  rateBits: z.number().int().positive(),
});

export const clusterSchema = z.object({
  name: z.string(),
  machines: z.array(machine).max(256),
  /** Added to every path between two machines, there and back; 0: nothing. */
  rttMs: z.number().min(0).max(2000),
  containerd: z.enum(['1.7', '2.1']),
  /** Read-only trees under each node's root, the topmost first. The registry uses the last alone. */
  trees: z.array(z.string()),
  /** Groups of machines that are cut off from all others. */
  cuts: z.array(z.array(z.string())),
});

export type Cluster = z.infer<typeof clusterSchema>;
export type Machine = z.infer<typeof machine>;

export const registryName = 'registry';
export const isNode = (machine: Machine): boolean => machine.name !== registryName;
export const maxNodes = 200;

/** A cluster's name becomes part of namespaces' and folders' names. */
export function checkClusterName(name: string): string {
  if (/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/.test(name)) return name;
  throw new UserError(
    `"${name}" is no cluster name: use 1 to 24 lower-case letters, digits and inner hyphens`,
  );
}

/** The machine of that name; the error lists those that there are. */
export function machineOf(cluster: Cluster, name: string): Machine {
  const found = cluster.machines.find((machine) => machine.name === name);
  if (found) return found;
  const names = cluster.machines.map((machine) => machine.name).join(', ');
  throw new UserError(`cluster ${cluster.name} has no machine "${name}"; it has ${names}`);
}
