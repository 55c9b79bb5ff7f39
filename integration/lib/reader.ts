/**
 * A container that reads its whole root file system over and over, and prints the sum of each pass: the witness of every test
 * about kills, restarts and dead neighbours. A failed read makes a pass's line start with `error`.
 */
import { writeFileSync } from 'node:fs';
import type { Cluster } from './cluster.ts';

/** One pass: the sha256 of all regular files' sha256, in a fixed order; or what went wrong. */
const PASS = `find / -xdev -path /proc -prune -o -path /sys -prune -o -path /dev -prune -o -path /etc/hosts -prune -o -path /etc/hostname -prune -o -path /etc/resolv.conf -prune -o -type f -print0 2>/tmp/find.err |
  LC_ALL=C sort -z | xargs -0 sha256sum 2>/tmp/sum.err | sha256sum | cut -d' ' -f1 > /tmp/pass
  if [ -s /tmp/find.err ] || [ -s /tmp/sum.err ]; then echo "error $(head -n 1 /tmp/find.err /tmp/sum.err | tr '\\n' ' ')"; else cat /tmp/pass; fi`;

export interface ReaderOptions {
  snapshotter: 'forage' | 'overlayfs';
  image: string;
  /** A single pass, whose line is answered, or one after the other until it is removed. */
  forever: boolean;
}

/** `PASS` would read its own scratch files, so /tmp is a tmpfs. */
function runFlags({ snapshotter }: ReaderOptions): string {
  return `--snapshotter ${snapshotter} run --net none --tmpfs /tmp --entrypoint /bin/sh`;
}

/** The sum of one pass in a fresh container. Rejects when a read fails. */
export async function sumOnce(
  cluster: Cluster,
  machine: string,
  snapshotter: 'forage' | 'overlayfs',
  image: string,
) {
  const flags = runFlags({ snapshotter, image, forever: false });
  const out = await cluster.sh(machine, `nerdctl ${flags} --rm registry:5000/${image} -c '${quoted(PASS)}'`);
  return out.trim();
}

/** The sum of one pass in a container that runs, with a tmpfs at /tmp. */
export async function sumIn(cluster: Cluster, machine: string, container: string): Promise<string> {
  return (await cluster.sh(machine, `nerdctl exec ${container} /bin/sh -c '${quoted(PASS)}'`)).trim();
}

/** Starts a container `name` that makes pass after pass; the first one after so many seconds. */
export async function startReader(
  cluster: Cluster,
  machine: string,
  name: string,
  image: string,
  delaySeconds = 0,
): Promise<void> {
  const flags = runFlags({ snapshotter: 'forage', image, forever: true });
  const script = `trap exit TERM; sleep ${delaySeconds}; while :; do ${PASS}; done`;
  await cluster.sh(
    machine,
    `nerdctl ${flags} -d --name ${name} registry:5000/${image} -c '${quoted(script)}'`,
  );
}

/** The lines of all passes that are over. */
export async function passes(cluster: Cluster, machine: string, name: string): Promise<string[]> {
  const out = await cluster.sh(machine, `nerdctl logs ${name}`);
  return out.split('\n').filter((line) => line !== '');
}

export async function removeContainer(cluster: Cluster, machine: string, name: string): Promise<void> {
  await cluster.run(machine, ['nerdctl', 'rm', '-f', name]);
}

/** Empties the page cache of this machine, and so of all nodes: what is read next comes from the volume server. */
export function dropCaches(): void {
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

function quoted(script: string): string {
  return script.replaceAll("'", `'\\''`);
}
