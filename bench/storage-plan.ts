/**
 * What each node is to keep of some volumes, by the code that nodes place by, and what it should not or does not have. Pure, so it
 * answers for clusters of any size; bench/storage.ts holds real nodes to it.
 *
 * All members have the same capacity. The first is the one that has pulled the images: whatever it owns, it keeps the metadata
 * blocks of all volumes, since it offers them as mountable.
 */
import type { BlockId, VolumeIndex } from '../blocks/types.ts';
import { Owners } from '../peers/placement/owners.ts';
import { shardOf } from '../peers/placement/shards.ts';

export interface Block {
  sizeBytes: number;
  isMetadata: boolean;
}

export type Blocks = ReadonlyMap<BlockId, Block>;

/** The distinct blocks of all volumes. */
export function blocksOf(indexes: Iterable<VolumeIndex>): Map<BlockId, Block> {
  const blocks = new Map<BlockId, Block>();
  for (const index of indexes) {
    for (let i = 0; i < index.blockCount; i++) {
      const id = index.blockId(i);
      const sizeBytes = index.offset(i + 1) - index.offset(i);
      const isMetadata = index.isMetadata(i) || (blocks.get(id)?.isMetadata ?? false);
      blocks.set(id, { sizeBytes, isMetadata });
    }
  }
  return blocks;
}

export const sizeOf = (blocks: Blocks, ids: Iterable<BlockId> = blocks.keys()): number => {
  let bytes = 0;
  for (const id of ids) bytes += blocks.get(id)?.sizeBytes ?? 0;
  return bytes;
};

export interface Share {
  node: string;
  /** What it keeps for the cluster. */
  owned: ReadonlySet<BlockId>;
  /** That, and what it needs itself. */
  kept: ReadonlySet<BlockId>;
}

/** The nodes' shares, in the order of the nodes; the first has pulled. */
export function sharesOf(blocks: Blocks, nodes: readonly string[], replicas: number): Share[] {
  const owners = Owners.of(
    nodes.map((name) => ({ name, capacityBytes: 1 })),
    replicas,
  );
  const owned = new Map(nodes.map((node) => [node, new Set<BlockId>()]));
  for (const id of blocks.keys()) for (const owner of owners.of(shardOf(id))) owned.get(owner)!.add(id);
  const metadata = [...blocks].filter(([, { isMetadata }]) => isMetadata).map(([id]) => id);
  return nodes.map((node, i) => {
    const own = owned.get(node)!;
    return { node, owned: own, kept: i === 0 ? new Set([...own, ...metadata]) : own };
  });
}

export interface Misplaced {
  /** To be kept, and not here. */
  missing: number;
  /** Here without a reason. */
  excess: number;
}

/** Counts blocks. What no volume names (manifests, configurations) is not looked at. */
export function misplaced(blocks: Blocks, { kept }: Share, held: ReadonlySet<BlockId>): Misplaced {
  let missing = 0;
  let excess = 0;
  for (const id of kept) if (!held.has(id)) missing++;
  for (const id of held) if (blocks.has(id) && !kept.has(id)) excess++;
  return { missing, excess };
}
