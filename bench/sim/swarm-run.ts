/** A swarm from its start to its end, in virtual time. */

import { BLOCK_SIZES } from '../../blocks/chunker.ts';
import type { BlockId } from '../../blocks/types.ts';
import { PAGE_BYTES } from '../../blocks/types.ts';
import { Owners } from '../../peers/placement/owners.ts';
import { shardOf } from '../../peers/placement/shards.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import { SwarmNode } from './swarm-node.ts';
import { VirtualTime } from './time.ts';

export interface SwarmOptions {
  seed: number;
  /** Those that start the image, beside the one that has it. */
  nodes: number;
  imageBytes: number;
  /** Of each node, both ways. */
  bitsPerSecond: number;
  /** From one node to another: half of a round trip. */
  latencyMs: number;
  replicas: number;
}

export interface SwarmReport {
  /** Until all have all; and ideally: the seed sends each block once, and the last one of them goes one hop more. */
  seconds: number;
  idealSeconds: number;
  /** When each node had all. */
  eachSeconds: number[];
  blocks: number;
  /** How often the image left the seed, and each other node. */
  seedCopies: number;
  servedCopies: number[];
  /** Nodes that had all blocks at the end. */
  whole: number;
  events: number;
}

const ROOT = '0'.repeat(64);
/** A swarm this many times slower than the ideal is given up. */
const GIVEN_UP_FACTOR = 20;
const STEP_MS = 100;

/** Lengths as the chunker cuts them, names by chance. */
function makeImage(imageBytes: number, random: Random): Map<BlockId, number> {
  const image = new Map<BlockId, number>();
  const { min, mean, max } = BLOCK_SIZES;
  const word = () =>
    random
      .whole(0, 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  for (let leftBytes = imageBytes; leftBytes > 0; ) {
    const pages = Math.min(min + Math.floor(random.exponential(mean)), max);
    const bytes = Math.min(pages * PAGE_BYTES, leftBytes);
    image.set(Array.from({ length: 8 }, word).join(''), bytes);
    leftBytes -= bytes;
  }
  return image;
}

export async function runSwarm(options: SwarmOptions): Promise<SwarmReport> {
  const { seed, imageBytes, bitsPerSecond } = options;
  const image = makeImage(imageBytes, new Random(seed, 1));
  const bytesPerSecond = bitsPerSecond / 8;
  const time = new VirtualTime();
  const nodes = makeNodes(options, image, time);
  const [first, ...starters] = nodes as [SwarmNode, ...SwarmNode[]];
  first.blocks.fill();
  for (const node of starters) node.holders.learn({ root: ROOT, origin: 'ingested' }, first.name);
  const idealSeconds = (imageBytes + imageBytes / image.size) / bytesPerSecond;
  let left = starters.length;
  let failure: unknown;
  for (const node of starters) {
    node.complete(ROOT).then(
      () => left--,
      (error: unknown) => (failure ??= error),
    );
  }
  while (left > 0 && failure === undefined && time.nowMs < GIVEN_UP_FACTOR * idealSeconds * 1000)
    await time.runUntil(time.nowMs + STEP_MS);
  if (failure !== undefined) throw failure;
  const eachSeconds = starters.map(({ doneMs = Number.POSITIVE_INFINITY }) => doneMs / 1000);
  return {
    seconds: Math.max(...eachSeconds),
    idealSeconds,
    eachSeconds,
    blocks: image.size,
    seedCopies: first.servedBytes / imageBytes,
    servedCopies: starters.map(({ servedBytes }) => servedBytes / imageBytes),
    whole: starters.filter(({ blocks }) => blocks.stats().count === image.size).length,
    events: time.events,
  };
}

function makeNodes(
  { seed, nodes: count, bitsPerSecond, latencyMs, replicas }: SwarmOptions,
  image: ReadonlyMap<BlockId, number>,
  time: VirtualTime,
): SwarmNode[] {
  const network = new Network(time, new Random(seed, 2));
  const names = Array.from({ length: count + 1 }, (_, i) => `node-${i}`);
  const owners = Owners.of(
    names.map((name) => ({ name, capacityBytes: 1e9 })),
    replicas,
  );
  const bytesPerSecond = bitsPerSecond / 8;
  const link = { upBytesPerSecond: bytesPerSecond, downBytesPerSecond: bytesPerSecond, loss: 0 };
  const nodes = names.map(
    (name, i) =>
      new SwarmNode({
        name,
        port: network.port(name, { ...link, latencyMs: latencyMs / 2 }),
        network,
        clock: time.clock(new Random(seed, 3 + i)),
        image,
        owners: (id) => owners.of(shardOf(id)),
        onFault: (error) => {
          throw error;
        },
      }),
  );
  for (const node of nodes) for (const other of nodes) if (other !== node) node.join(other);
  return nodes;
}
