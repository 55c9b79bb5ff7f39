/** Containers in a user namespace, which no flag of nerdctl makes. */
import type { Cluster } from './cluster.ts';

const CAP_SYS_RESOURCE = 24n;

/**
 * Whether root there may not ask for the limits of other users' processes (prlimit(2)), so CRIU cannot dump them: a machine that is itself
 * confined. In a user namespace that root has made, it may.
 */
export async function lacksSysResource(cluster: Cluster, machine: string): Promise<boolean> {
  const [, bounds] = /^CapBnd:\s*(\w+)$/m.exec(await cluster.sh(machine, 'cat /proc/self/status'))!;
  return ((BigInt(`0x${bounds}`) >> CAP_SYS_RESOURCE) & 1n) === 0n;
}

/** Of a container that has no task yet. All users are there, under their own numbers, so no file has to change its owner. */
export async function intoUserNamespace(cluster: Cluster, machine: string, id: string): Promise<void> {
  await cluster.sh(machine, `/usr/lib/forage/node_modules/node/bin/node --input-type=module - ${id}`, {
    input: CHANGE,
  });
}

const CHANGE = `
const { connect } = await import('/usr/lib/forage/node/containerd/connection.ts');
const { containers } = await import('/usr/lib/forage/node/containerd/containers.ts');
const connection = connect('/run/containerd/containerd.sock');
const [id, all] = [process.argv[2], containers(connection)];
const container = await all.get('default', id);
const spec = JSON.parse(container.spec);
const mapped = [{ containerID: 0, hostID: 0, size: 65536 }];
spec.linux.namespaces.push({ type: 'user' });
Object.assign(spec.linux, { uidMappings: mapped, gidMappings: mapped });
await all.delete('default', id);
await all.create('default', { ...container, spec: Buffer.from(JSON.stringify(spec)) });
connection.close();
`;
