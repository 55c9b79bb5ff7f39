/**
 * The real nodes of bench/storage.ts: the images come to the first, the others join one by one, and what each has on its disk is
 * looked at once blocks are where they belong.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type DecodedIndex, decodeIndex } from '../blocks/volume.ts';
import { type Cluster, collectGarbage, eventually, ingested } from '../integration/lib/cluster.ts';
import { type Blocks, type Misplaced, misplaced, type Share, sizeOf } from './storage-plan.ts';

const CONTENT = '/var/lib/containerd/io.containerd.content.v1.content';
const UNPACKED = '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs';

/** A node keeps what it is given to keep and what it uses; blocks move as fast as the nodes can. */
const CACHE = '[cache]\nidle_seconds = 0\nrepair_bytes_per_second = 134217728\n';

/** Owners that had refused a block are asked for it again after up to ten minutes. */
const REST_TIMEOUT_MS = 30 * 60_000;
const LOOK_EVERY_MS = 15_000;
const REST_MS = 30_000;
/** The dropper makes its first round five minutes after the start. */
const DROP_TIMEOUT_MS = 15 * 60_000;

export interface Usage {
  node: string;
  /** `du` of forage's root, and of what it is made of. */
  forageBytes: number;
  parts: { blocks: number; volumes: number; db: number; snapshots: number };
  /** `du` of containerd's content store. */
  contentBytes: number;
  /** Of the blocks' own bytes, those of the images. */
  blockBytes: number;
  misplaced: Misplaced;
}

export interface Rest {
  usages: Usage[];
  isAtRest: boolean;
  seconds: number;
}

/** What an ordinary node has of the images: compressed in the content store, and unpacked. */
export interface Plain {
  packedBytes: number;
  unpackedBytes: number;
}

async function du(cluster: Cluster, node: string, ...paths: string[]): Promise<number[]> {
  const script = `for path in ${paths.join(' ')}; do [ -e $path ] && du -s -B1 $path || echo 0; done`;
  const lines = (await cluster.sh(node, script)).trim().split('\n');
  return lines.map((line) => Number(line.split('\t')[0]));
}

/** Stops forage everywhere, all at once so that nobody is remembered by anybody, and starts it on some nodes. */
export async function begin(cluster: Cluster, nodes: readonly string[], first: number): Promise<void> {
  const { volumes } = await cluster.status('n1');
  if (volumes > 0) throw new Error(`n1 has volumes already: this takes a fresh cluster`);
  for (const node of nodes) await cluster.configure(node, CACHE);
  await Promise.all(nodes.map((node) => cluster.sh(node, 'systemctl stop forage')));
  for (const node of nodes.slice(0, first)) await cluster.sh(node, 'systemctl start forage');
  await met(cluster, nodes.slice(0, first));
}

/** Starts forage on a node, and waits until all know each other. */
export async function join(cluster: Cluster, node: string, before: readonly string[]): Promise<void> {
  await cluster.sh(node, 'systemctl start forage');
  await met(cluster, [...before, node]);
}

async function met(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  for (const node of nodes) {
    await eventually(
      `${node} hears ${nodes.length - 1} neighbours`,
      async () => {
        const status = await cluster.status(node).catch(() => undefined);
        return status?.peers.filter(({ state }) => state === 'up').length === nodes.length - 1;
      },
      120_000,
    );
  }
}

/** Pulls images with overlayfs, answers what they take, and removes them again. */
export async function pullPlain(cluster: Cluster, node: string, refs: readonly string[]): Promise<Plain> {
  for (const ref of refs) await pull(cluster, node, 'overlayfs', ref);
  const [packedBytes, unpackedBytes] = (await du(cluster, node, CONTENT, UNPACKED)) as [number, number];
  await cluster.sh(node, 'ctr image ls -q | xargs -r ctr image rm --sync > /dev/null');
  await collectGarbage(cluster, node);
  return { packedBytes, unpackedBytes };
}

export async function pullFirst(cluster: Cluster, node: string, refs: readonly string[]): Promise<void> {
  for (const ref of refs) await pull(cluster, node, 'forage', ref);
  await ingested(cluster, node);
  const { ingest } = await cluster.status(node);
  if (ingest.failed > 0) throw new Error(`${node} could not make volumes of ${ingest.failed} layers`);
}

async function pull(cluster: Cluster, node: string, snapshotter: string, ref: string): Promise<void> {
  await cluster.sh(node, `nerdctl pull -q --snapshotter ${snapshotter} registry:5000/${ref} > /dev/null`);
}

/** The indexes of all volumes of a node. */
export async function indexesOf(cluster: Cluster, node: string): Promise<DecodedIndex[]> {
  const script = `for file in /var/lib/forage/volumes/*; do base64 -w0 "$file"; echo; done`;
  const lines = (await cluster.sh(node, script)).trim().split('\n');
  return lines.map((line) => decodeIndex(Buffer.from(line, 'base64')));
}

async function held(cluster: Cluster, node: string): Promise<Set<string>> {
  const script = `find /var/lib/forage/blocks -type f -printf '%f\\n'`;
  return new Set((await cluster.sh(node, script)).split('\n').filter((name) => name.length === 64));
}

/** Waits until every node has just what it is to keep, and nothing has changed for a while; answers what is there then. */
export async function atRest(cluster: Cluster, blocks: Blocks, shares: readonly Share[]): Promise<Rest> {
  const begunMs = performance.now();
  let quietSinceMs: number | undefined;
  let restedMs = 0;
  for (;;) {
    const usages: Usage[] = [];
    for (const share of shares) usages.push(await usageOf(cluster, blocks, share));
    const nowMs = performance.now();
    const isQuiet = usages.every(({ misplaced: { missing, excess } }) => missing + excess === 0);
    if (!isQuiet) quietSinceMs = undefined;
    else if (quietSinceMs === undefined) quietSinceMs = restedMs = nowMs;
    const isAtRest = quietSinceMs !== undefined && nowMs - quietSinceMs >= REST_MS;
    if (isAtRest || nowMs - begunMs > REST_TIMEOUT_MS) {
      return { usages, isAtRest, seconds: ((isAtRest ? restedMs : nowMs) - begunMs) / 1000 };
    }
    await sleep(LOOK_EVERY_MS);
  }
}

async function usageOf(cluster: Cluster, blocks: Blocks, share: Share): Promise<Usage> {
  const { node } = share;
  const ids = await held(cluster, node);
  const root = '/var/lib/forage';
  const paths = [root, ...['blocks', 'volumes', 'db', 'snapshots'].map((folder) => `${root}/${folder}`)];
  const sizes = (await du(cluster, node, ...paths, CONTENT)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [forageBytes, blockFiles, volumes, db, snapshots, contentBytes] = sizes;
  return {
    node,
    forageBytes,
    parts: { blocks: blockFiles, volumes, db, snapshots },
    contentBytes,
    blockBytes: sizeOf(blocks, ids),
    misplaced: misplaced(blocks, share, ids),
  };
}

/** Block, index and metadata bytes that nodes have had from others since they started. */
export async function fetchedBytes(cluster: Cluster, nodes: readonly string[]): Promise<number> {
  let bytes = 0;
  for (const node of nodes) bytes += (await cluster.status(node)).fetched_bytes;
  return bytes;
}

export interface Dropped {
  contentBytes: number;
  /** Layers' blobs that are still there. */
  left: number;
}

/** Has a node drop its layers' blobs, and waits until they have gone. */
export async function dropBlobs(cluster: Cluster, node: string): Promise<Dropped> {
  await cluster.configure(node, `${CACHE}[ingest]\ndrop_blobs = true\n`);
  const begunMs = performance.now();
  // Only unpacked layers carry this label.
  const count = 'ctr content ls | grep -c containerd.io/uncompressed || true';
  let left = Number(await cluster.sh(node, count));
  while (left > 0 && performance.now() - begunMs < DROP_TIMEOUT_MS) {
    await sleep(LOOK_EVERY_MS);
    left = Number(await cluster.sh(node, count));
  }
  await collectGarbage(cluster, node);
  return { contentBytes: (await du(cluster, node, CONTENT))[0]!, left };
}
