/**
 * Frees what no snapshot uses any longer. When a layer goes: its record, then its mount. What becomes of its index and blocks
 * depends on the cluster: what the directory still names is left to custody, which drops blocks only when their owners have
 * them. On a node that is in no cluster, the index goes, then the blocks that no other index names. A crash in between
 * leaves blocks without an index, which `sweep` finds; it never leaves an index without its blocks.
 */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { BlockId, BlockStore, ChainId, Root, VolumeStore } from '../blocks/types.ts';
import type { ErofsMounts } from './erofs-mounts.ts';
import type { Gate } from './gate.ts';
import type { LayerRecords } from './records.ts';

/** Blocks handled between two turns of the event loop: a few milliseconds of work. */
const SLICE = 4096;

/** What the cluster relies on here. */
export interface Keeping {
  /**
   * `kept`: the directory names the volume, or may do so (it cannot be asked yet). `removed`: it did, and custody is to free its
   * blocks. `unknown`: the cluster knows nothing of it.
   */
  volume(root: Root): 'kept' | 'removed' | 'unknown';
  /** False while a volume may name blocks here without its index being here. */
  isWhole(): boolean;
  /** This node has promised to keep the block, or it is part of a manifest. */
  keepsBlock(id: BlockId): boolean;
}

export interface Collector {
  /** The layer is no longer used here: drops its record and mount, and all that only it used and nobody keeps. */
  drop(chainId: ChainId): Promise<void>;
  /** Drops indexes and blocks that nobody has a use for, which a crash, a late fetch or a removal left. */
  sweep(): Promise<{ volumes: number; blocks: number }>;
}

interface Parts {
  records: LayerRecords;
  blocks: BlockStore;
  volumes: VolumeStore;
  mounts: ErofsMounts;
  gate: Gate;
  keeping: Keeping;
  /** A record has gone. */
  onDropped: () => void;
}

export function createCollector(parts: Parts): Collector {
  const { records, blocks, volumes, mounts, gate, keeping, onDropped } = parts;

  /** Takes the blocks that any other volume names out of `candidates`. */
  async function keepNamed(candidates: Set<BlockId>, except?: Root): Promise<void> {
    for (const root of volumes.roots()) {
      if (candidates.size === 0) return;
      if (root === except) continue;
      const index = await volumes.get(root);
      if (index === undefined) continue;
      for (let i = 0; i < index.blockCount; i++) {
        candidates.delete(index.blockId(i));
        if (i % SLICE === SLICE - 1) await yieldToEvents();
      }
    }
  }

  /** Answers how many. */
  async function removeBlocks(ids: Set<BlockId>): Promise<number> {
    const free = [...ids].filter((id) => !keeping.keepsBlock(id));
    for (const id of free) await blocks.remove(id);
    return free.length;
  }

  /** The blocks here that only this volume names. */
  async function ownBlocks(root: Root): Promise<Set<BlockId>> {
    const index = await volumes.get(root);
    const own = new Set<BlockId>();
    for (let i = 0; index && i < index.blockCount; i++) {
      if (blocks.has(index.blockId(i))) own.add(index.blockId(i));
    }
    await keepNamed(own, root);
    return own;
  }

  async function removeVolume(root: Root): Promise<void> {
    const own = await ownBlocks(root);
    await mounts.remove(root);
    await volumes.remove(root);
    await removeBlocks(own);
  }

  async function drop(chainId: ChainId): Promise<void> {
    const record = records.get(chainId);
    if (record === undefined) return;
    await records.remove(chainId);
    if (records.usesRoot(record.root)) return;
    await mounts.remove(record.root);
    if (keeping.volume(record.root) === 'unknown') await removeVolume(record.root);
    onDropped();
  }

  /** A removed volume's index stays until custody has freed its blocks. */
  async function isOver(root: Root): Promise<boolean> {
    if (records.usesRoot(root)) return false;
    const kept = keeping.volume(root);
    return kept === 'unknown' || (kept === 'removed' && (await ownBlocks(root)).size === 0);
  }

  async function sweep(): Promise<{ volumes: number; blocks: number }> {
    let orphans = 0;
    for (const root of [...volumes.roots()]) {
      if (!(await isOver(root))) continue;
      await mounts.remove(root);
      await volumes.remove(root);
      orphans++;
    }
    if (!keeping.isWhole()) return { volumes: orphans, blocks: 0 };
    const candidates = new Set(blocks.ids());
    await keepNamed(candidates);
    return { volumes: orphans, blocks: await removeBlocks(candidates) };
  }

  return {
    drop: (chainId) => gate.exclusive(() => drop(chainId)),
    sweep: () => gate.exclusive(sweep),
  };
}
