/**
 * Frees what no snapshot uses any longer. Order of effects when a layer goes: its record, its mount, its index, then the
 * blocks that no other index names. A crash in between leaves blocks without an index, which `sweep` finds at the
 * next start; it never leaves an index without its blocks.
 */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { BlockId, BlockStore, ChainId, Root, VolumeStore } from '../blocks/types.ts';
import type { ErofsMounts } from './erofs-mounts.ts';
import type { Gate } from './gate.ts';
import type { LayerRecords } from './records.ts';

/** Blocks handled between two turns of the event loop: a few milliseconds of work. */
const SLICE = 4096;

export interface Collector {
  /** The layer is no longer used here: drops its record, and all that only it used. */
  drop(chainId: ChainId): Promise<void>;
  /** Drops indexes without a record and blocks without an index, which a crash or a late fetch left. */
  sweep(): Promise<{ volumes: number; blocks: number }>;
}

interface Parts {
  records: LayerRecords;
  blocks: BlockStore;
  volumes: VolumeStore;
  mounts: ErofsMounts;
  gate: Gate;
}

export function createCollector({ records, blocks, volumes, mounts, gate }: Parts): Collector {
  /** Takes the blocks that any remaining volume names out of `candidates`. */
  async function keepNamed(candidates: Set<BlockId>): Promise<void> {
    for (const root of volumes.roots()) {
      if (candidates.size === 0) return;
      const index = await volumes.get(root);
      if (index === undefined) continue;
      for (let i = 0; i < index.blockCount; i++) {
        candidates.delete(index.blockId(i));
        if (i % SLICE === SLICE - 1) await yieldToEvents();
      }
    }
  }

  async function removeBlocks(ids: Set<BlockId>): Promise<void> {
    for (const id of ids) await blocks.remove(id);
  }

  async function removeVolume(root: Root): Promise<void> {
    const index = await volumes.get(root);
    await mounts.remove(root);
    await volumes.remove(root);
    if (index === undefined) return;
    const candidates = new Set<BlockId>();
    for (let i = 0; i < index.blockCount; i++) candidates.add(index.blockId(i));
    await keepNamed(candidates);
    await removeBlocks(candidates);
  }

  async function drop(chainId: ChainId): Promise<void> {
    const record = records.get(chainId);
    if (record === undefined) return;
    await records.remove(chainId);
    if (!records.usesRoot(record.root)) await removeVolume(record.root);
  }

  async function sweep(): Promise<{ volumes: number; blocks: number }> {
    const orphans = [...volumes.roots()].filter((root) => !records.usesRoot(root));
    for (const root of orphans) {
      await mounts.remove(root);
      await volumes.remove(root);
    }
    const candidates = new Set(blocks.ids());
    await keepNamed(candidates);
    const count = candidates.size;
    await removeBlocks(candidates);
    return { volumes: orphans.length, blocks: count };
  }

  return {
    drop: (chainId) => gate.exclusive(() => drop(chainId)),
    sweep: () => gate.exclusive(sweep),
  };
}
