/** The rates at which the machines of a cluster were made to send. */
import type { Cluster } from '../integration/lib/cluster.ts';

interface Status {
  machines: { name: string; rateBits: number }[];
}

/** By the machine's name, in bytes a second. */
export async function linkRates(cluster: Cluster): Promise<ReadonlyMap<string, number>> {
  const { machines } = JSON.parse(await cluster.do('status', '--json')) as Status;
  return new Map(machines.map(({ name, rateBits }) => [name, rateBits / 8]));
}
