/** A cluster of real nodes for a test: hack/cluster, and commands in its machines. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const HACK = fileURLToPath(new URL('../../hack/', import.meta.url));
const CLUSTERS = join(process.env.FORAGE_CACHE || '/var/cache/forage-dev', 'clusters');

/** The folder of a cluster's certificate authority, on this machine. */
export const authorityOf = (cluster: string): string => join(CLUSTERS, cluster, 'authority');
/** What a node was given: node.crt, node.key, ca.crt. */
export const issuedTo = (cluster: string, node: string): string => join(CLUSTERS, cluster, 'issued', node);

export interface Result {
  status: number;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Standard input. */
  input?: string | Buffer;
  /** Ends the command with SIGKILL. */
  timeoutMs?: number;
}

export interface ClusterOptions {
  link?: string;
  uplink?: string;
  rttMs?: number;
  containerd?: '1.7' | '2.1';
  /** Owners fetch what they are to keep, as outside of tests. */
  repairs?: boolean;
}

/** One cluster by name. Tests share clusters, so each leaves it as it found it: all nodes up, no cuts. */
export class Cluster {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  /** Runs a command in a machine. Never rejects for its exit status. */
  run(machine: string, argv: readonly string[], options: RunOptions = {}): Promise<Result> {
    return command(`${HACK}cluster`, ['exec', machine, '--name', this.name, '--', ...argv], options);
  }

  /** Runs a shell script in a machine, and answers what it prints. Rejects when it fails. */
  async sh(machine: string, script: string, options: RunOptions = {}): Promise<string> {
    const result = await this.run(machine, ['sh', '-c', script], options);
    if (result.status !== 0) throw new Error(explain(`${machine}: ${script}`, result));
    return result.stdout;
  }

  /** A subcommand of hack/cluster: `do('kill', 'n1')`. Rejects when it fails. */
  async do(verb: string, ...args: string[]): Promise<string> {
    const result = await command(`${HACK}cluster`, [verb, ...args, '--name', this.name]);
    if (result.status !== 0) throw new Error(explain(`hack/cluster ${verb} ${args.join(' ')}`, result));
    return result.stdout;
  }

  /**
   * Adds to a node's configuration, in place of what was added before, and restarts forage, or the whole machine. Unless it says
   * something of the cache, blocks stay where the test puts them: next to nothing is copied to owners.
   */
  async configure(machine: string, toml: string, apply: 'restart' | 'reboot' = 'restart'): Promise<void> {
    const script = `sed -i '/^# of a test$/,$d' /etc/forage/config.toml
      { echo '# of a test'; cat; } >> /etc/forage/config.toml`;
    const input = toml.includes('[cache]') ? toml : `${toml}[cache]\nrepair_bytes_per_second = 1024\n`;
    await this.sh(machine, script, { input });
    if (apply === 'reboot') return void (await this.do('reboot', machine));
    await this.sh(machine, 'systemctl restart forage');
    await answersContainerd(this, machine);
  }

  /** Switches background completion, so that a test decides what a node has. It stays so until it is switched again. */
  async setCompletion(machine: string, on: boolean): Promise<void> {
    await this.configure(machine, `[fetch]\ncompletion = ${on}\n`);
  }

  /** `forage status --json` of a node. */
  async status(machine: string): Promise<NodeStatusJson> {
    return JSON.parse(await this.sh(machine, 'forage status --json')) as NodeStatusJson;
  }

  /** The volumes of the layers that a node has: not those that it only knows of. */
  async volumes(machine: string): Promise<VolumeJson[]> {
    const all = JSON.parse(await this.sh(machine, 'forage volumes --json')) as VolumeJson[];
    return all.filter(({ chain_id }) => chain_id !== '');
  }
}

/** What the tests read of `forage status --json`. */
export interface NodeStatusJson {
  node: string;
  peers: { address: string; name: string; state: string }[];
  volumes: number;
  blocks: { count: number; bytes: number };
  fetched_bytes: number;
  served_bytes: number;
  demand_reads: number;
  waiting_reads: number;
  ingest: { queued: number; running: number; done: number; failed: number };
}

/** What the tests read of `forage volumes --json`. */
export interface VolumeJson {
  root: string;
  chain_id: string;
  blocks: number;
  blocks_here: number;
  bytes_here: number;
  complete: boolean;
  in_use: boolean;
}

/**
 * The cluster that tests share (or one of your own, by `name`), with at least this many nodes. One that is up is used
 * as it is, unless it was made otherwise than asked for.
 */
export async function ensureCluster(
  nodes: number,
  name: string,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const cluster = new Cluster(name);
  const machines = Array.from({ length: nodes }, (_, i) => `n${i + 1}`);
  const up = await Promise.all(machines.map((machine) => cluster.run(machine, ['true'])));
  if (up.some(({ status }) => status !== 0)) {
    await cluster.do('down').catch(() => {});
    await cluster.do('up', String(nodes), ...flags(options));
    for (const machine of machines) await cluster.configure(machine, options.repairs ? '[cache]\n' : '');
  }
  await cluster.do('heal');
  return cluster;
}

function flags({ link, uplink, rttMs, containerd }: ClusterOptions): string[] {
  return [
    ...(link === undefined ? [] : ['--link', link]),
    ...(uplink === undefined ? [] : ['--uplink', uplink]),
    ...(rttMs === undefined ? [] : ['--rtt', String(rttMs)]),
    ...(containerd === undefined ? [] : ['--containerd', containerd]),
  ];
}

/** Builds images of hack/images and pushes them into the cluster's registry. They are then `registry:5000/<name>`. */
export async function pushImages(cluster: Cluster, names: readonly string[]): Promise<void> {
  const result = await command(`${HACK}images`, [...names, '--push', '--name', cluster.name]);
  if (result.status !== 0) throw new Error(explain(`hack/images ${names.join(' ')}`, result));
}

/** Asks until `probe` answers true. Rejects after the bound, which only a failure reaches, naming what was waited for. */
export async function eventually(
  what: string,
  probe: () => Promise<boolean>,
  timeoutMs = 300_000,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  while (!(await probe())) {
    if (Date.now() > endMs) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Waits until a node has made volumes of all the layers that it unpacked. */
export async function ingested(cluster: Cluster, machine: string): Promise<void> {
  await eventually(`${machine} has ingested its layers`, async () => {
    const { ingest } = await cluster.status(machine);
    return ingest.queued === 0 && ingest.running === 0;
  });
}

async function command(file: string, args: string[], { input, timeoutMs }: RunOptions = {}): Promise<Result> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  child.stdin.on('error', () => {}); // the command may end without reading it
  child.stdin.end(input ?? '');
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return {
    status: code ?? 137,
    stdout: Buffer.concat(out).toString(),
    stderr: Buffer.concat(err).toString(),
  };
}

function explain(what: string, { status, stdout, stderr }: Result): string {
  return `${what}\nexit status ${status}\n${stdout}${stderr}`;
}

/**
 * Has containerd tell its snapshotters what is gone: by itself it pauses fifty times as long as a collection took, which on
 * a disk that is slow to sync is minutes.
 */
export async function collectGarbage(cluster: Cluster, machine: string): Promise<void> {
  await cluster.sh(
    machine,
    'ctr leases create --id collect > /dev/null && ctr leases delete --sync collect > /dev/null',
  );
}

/**
 * Makes nodes as they were when they were new: no containers, no images, nothing in forage's root. All of them together, since whoever
 * is left would tell the others again what there was.
 */
export async function forgetAll(cluster: Cluster, ...machines: string[]): Promise<void> {
  const each = (script: string) => Promise.all(machines.map((machine) => cluster.sh(machine, script)));
  await each(
    `for ns in $(ctr namespace ls -q); do
       nerdctl -n $ns ps -aq | xargs -r nerdctl -n $ns rm -f > /dev/null
       ctr -n $ns image ls -q | xargs -r ctr -n $ns image rm --sync > /dev/null
     done`,
  );
  for (const machine of machines) {
    // A node that stops in the middle of an ingest keeps the layer's lease, to go on with it: here it would never go on.
    await ingested(cluster, machine);
    await eventually(
      `${machine} has no layers left`,
      async () => (await cluster.volumes(machine)).length === 0,
    );
  }
  await each(
    'systemctl stop forage && rm -rf /var/lib/forage/blocks /var/lib/forage/volumes /var/lib/forage/db',
  );
  await each('systemctl start forage');
  for (const machine of machines) {
    await joined(cluster, machine);
    await answersContainerd(cluster, machine);
  }
}

/** containerd takes seconds to notice that a forage which was stopped is back. */
export async function answersContainerd(cluster: Cluster, machine: string): Promise<void> {
  await eventually(`containerd hears forage on ${machine}`, async () => {
    const { status } = await cluster.run(machine, ['ctr', 'snapshots', '--snapshotter', 'forage', 'ls']);
    return status === 0;
  });
}

/** Waits until a node hears those of its neighbours that are on. */
export async function joined(cluster: Cluster, machine: string): Promise<void> {
  await eventually(`${machine} hears its neighbours`, async () => {
    const { peers } = await cluster.status(machine);
    return peers.length > 0 && peers.some(({ state }) => state === 'up');
  });
}
