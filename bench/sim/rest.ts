/**
 * The cluster at rest: what must be true some time after the last fault. Each block of a living volume is on its owners, pinned,
 * and nowhere else, which is replicas * A / n by weight for each node; nothing is left of removed volumes; nobody sends anything.
 */
import type { BlockId } from '../../blocks/types.ts';
import { Owners } from '../../peers/placement/owners.ts';
import { shardOf } from '../../peers/placement/shards.ts';
import { PULL_EVERY_MS } from './directory.ts';
import type { World } from './world.ts';

const STEP_MS = 60_000;
/** Failed questions are asked again after ten minutes at most, passes come once a minute. */
const REST_WITHIN_MS = 2 * 3_600_000;
const SILENCE_MS = 900_000;
/**
 * What the work is bounded by: questions (of one block to one owner) for each copy that is dropped, and copies that are moved for each
 * block ingested, both for each replica. Over 300 seeds the greatest were 2.7 and 1.8.
 */
const QUESTIONS_MAX = 10;
const MOVES_MAX = 6;

/** Requests to those that did not have the block, and second ones when the first was late, are among these. */
const BLOCK_ASKS_MAX = 30;
const RECEIVED_MAX = 2;
const MIB = 1 << 20;

export interface Rest {
  /** Distinct ones of living volumes. */
  blocks: number;
  /** Those of them that no disk holds any more. */
  lost: number;
  /** Greatest share of a node's blocks in bytes, against replicas * A times its part of all weights. */
  maxLoad: number;
}

/** Waits until the cluster is at rest, then sees that it stays so. What is wrong goes to the oracle. */
export async function comeToRest(world: World): Promise<Rest> {
  const { time, oracle } = world;
  const endMs = time.nowMs + REST_WITHIN_MS;
  let owners = trueOwners(world);
  for (;;) {
    await time.runUntil(time.nowMs + STEP_MS);
    owners = trueOwners(world, owners);
    const unrest = firstUnrest(world, owners);
    if (unrest === undefined) break;
    if (time.nowMs >= endMs) {
      oracle.report(`not at rest ${REST_WITHIN_MS / 1000} s after the last fault: ${unrest}`);
      oracle.check();
    }
  }
  const before = { ...world.counts };
  await time.runUntil(time.nowMs + SILENCE_MS);
  checkSilence(world, before);
  const unrest = firstUnrest(world, trueOwners(world, owners));
  if (unrest !== undefined) oracle.report(`did not stay at rest: ${unrest}`);
  checkWork(world);
  oracle.check();
  return measure(world);
}

function checkSilence({ counts, nodes, oracle }: World, before: World['counts']): void {
  for (const what of ['asks', 'blockAsks', 'indexAsks'] as const) {
    const times = counts[what] - before[what];
    if (times > 0) oracle.report(`${times} ${what} although there was nothing to do`);
  }
  const pulls = counts.pulls - before.pulls;
  const most = 2 * nodes.length * (SILENCE_MS / PULL_EVERY_MS);
  if (pulls > most) oracle.report(`${pulls} exchanges of records, at most ${most} are for nothing`);
}

function checkWork({ counts, oracle, replicas }: World): void {
  const questions = counts.askedBlocks / (replicas * Math.max(oracle.dropped, 100));
  if (questions > QUESTIONS_MAX)
    oracle.report(`${questions.toFixed(1)} questions a replica and dropped copy`);
  const moves = counts.repair.bytes / (replicas * Math.max(counts.ingestedBytes, 1));
  if (moves > MOVES_MAX) oracle.report(`blocks were moved ${moves.toFixed(1)} times a replica`);
  const stored = counts.demand.blocks + counts.repair.blocks;
  const asks = counts.blockAsks / Math.max(stored, 100);
  if (asks > BLOCK_ASKS_MAX) oracle.report(`${asks.toFixed(1)} requests for each block that came`);
  const received = counts.receivedBytes / Math.max(counts.demand.bytes + counts.repair.bytes, MIB);
  if (received > RECEIVED_MAX) oracle.report(`${received.toFixed(2)} bytes came for each that was needed`);
}

function livingBlocks(world: World): Map<BlockId, number> {
  const sizes = new Map<BlockId, number>();
  for (const { volumes } of world.images) {
    for (const { blocks } of volumes) for (const { id, sizeBytes } of blocks) sizes.set(id, sizeBytes);
  }
  return sizes;
}

function trueOwners(world: World, before?: Owners): Owners {
  const members = world.running().map(({ member }) => member);
  return before?.next(members) ?? Owners.of(members, world.replicas);
}

/** Where the directories of the nodes differ, or have something that was removed. */
function firstDisagreement({ nodes, removedImages }: World): string | undefined {
  const [first, ...others] = nodes.filter(({ process }) => process);
  if (!first) return undefined;
  const { directory } = first.process!.directory;
  const digests = directory.digests();
  for (const { name, process } of others) {
    if (Buffer.compare(process!.directory.directory.digests(), digests) !== 0)
      return `${name} has other records than ${first.name}`;
  }
  for (const { name, volumes } of removedImages) {
    const left = volumes.some(({ chainId }) => directory.layersByChainId(chainId).length > 0);
    if (left || directory.refs(name).length > 0) return `${first.name} has ${name}, which was removed`;
  }
  return undefined;
}

function firstUnrest(world: World, owners: Owners): string | undefined {
  const disagreement = firstDisagreement(world);
  if (disagreement !== undefined) return disagreement;
  const { oracle } = world;
  const living = livingBlocks(world);
  for (const id of living.keys()) {
    const holders = [...oracle.holders(id)].map(({ name }) => name).sort();
    if (holders.length === 0 && !oracle.isPlaced(id)) continue;
    const wanted = [...owners.of(shardOf(id))].sort();
    if (holders.join() !== wanted.join()) return `block ${id} is on ${holders}, its owners are ${wanted}`;
    const pinners = [...oracle.pinners(id)].map(({ name }) => name).sort();
    if (pinners.join() !== wanted.join())
      return `block ${id} is pinned by ${pinners}, its owners are ${wanted}`;
  }
  for (const { volumes } of world.images) {
    for (const { root } of volumes) {
      if (!world.nodes.some((node) => node.volumes.has(root))) continue;
      const unaware = world.running().find((node) => !node.isLiving(root));
      if (unaware) return `${unaware.name} does not know volume ${root}`;
    }
  }
  for (const node of world.nodes) {
    for (const id of node.disk.ids()) {
      if (!living.has(id)) return `${node.name} has block ${id}, which no volume names`;
      if (!oracle.holders(id).has(node)) return `${node.name} has block ${id}, but not durably`;
    }
  }
  return undefined;
}

function measure(world: World): Rest {
  const living = livingBlocks(world);
  const kept = [...living].filter(([id]) => world.oracle.holders(id).size > 0);
  const bytes = kept.reduce((sum, [, sizeBytes]) => sum + sizeBytes, 0);
  const nodes = world.running();
  const weights = nodes.reduce((sum, { member }) => sum + member.capacityBytes, 0);
  const loads = nodes.map(({ disk, member }) => {
    const shareBytes = (world.replicas * bytes * member.capacityBytes) / weights;
    return shareBytes > 0 ? disk.bytes / shareBytes : 0;
  });
  return { blocks: living.size, lost: living.size - kept.length, maxLoad: Math.max(...loads) };
}
