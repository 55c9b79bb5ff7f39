/** What images leave behind on a node. Nothing must be left of them once they are removed. */
import { type Cluster, eventually } from './cluster.ts';

const SCRIPT = `
  find /var/lib/forage/blocks -type f -printf 'block %f\\n'
  cd /var/lib/forage && find volumes snapshots trash ingest -mindepth 1 -maxdepth 1
  find /run/forage/l /run/forage/m -mindepth 1 -maxdepth 1
  awk '/ - erofs /{print "mounted " $5}' /proc/self/mountinfo
  for ns in $(ctr namespace ls -q); do
    ctr -n $ns leases ls -q | sed "s/^/lease in $ns: /"
    ctr -n $ns snapshots --snapshotter forage ls | sed "1d; s/^/snapshot in $ns: /"
  done`;

/** One line for each block, volume, directory, link, EROFS mount, lease and snapshot. */
export async function leftovers(cluster: Cluster, machine: string): Promise<string[]> {
  const lines = await cluster.sh(machine, SCRIPT);
  return lines.split('\n').filter((line) => line !== '');
}

/** Waits until nothing is left, and answers what is left all the same. */
export async function nothingLeft(cluster: Cluster, machine: string): Promise<string[]> {
  let left: string[] = [];
  const probe = async () => {
    left = await leftovers(cluster, machine);
    return left.length === 0;
  };
  await eventually('no leftovers', probe).catch(() => {});
  return left;
}
