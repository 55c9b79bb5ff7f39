/**
 * What this node knows of layers: chainID to `LayerRecord`, in LMDB. The index file of a record's volume is published
 * before the record is put and removed after the record: a record whose volume is missing was cut off in a removal.
 */
import type { Database } from 'lmdb';
import type { ChainId, LayerRecord, Root } from '../blocks/types.ts';

export interface LayerRecords {
  get(chainId: ChainId): LayerRecord | undefined;
  /** Resolves once the record survives a power loss. */
  put(record: LayerRecord): Promise<void>;
  remove(chainId: ChainId): Promise<void>;
  all(): Iterable<LayerRecord>;
  /** Several chains may hold the same volume: the same layer bytes over different parents have different EROFS UUIDs, but an empty layer may not. */
  usesRoot(root: Root): boolean;
}

export function openLayerRecords(db: Database<LayerRecord, string>): LayerRecords {
  return {
    get: (chainId) => db.get(chainId),
    async put(record) {
      await db.put(record.chainId, record);
      await db.flushed;
    },
    async remove(chainId) {
      await db.remove(chainId);
      await db.flushed;
    },
    *all() {
      for (const { value } of db.getRange()) yield value;
    },
    usesRoot(root) {
      for (const { value } of db.getRange()) if (value.root === root) return true;
      return false;
    },
  };
}

export interface RecordEvents {
  written(record: LayerRecord): void;
  removed(record: LayerRecord): void;
}

/** The same records, and whoever wants to know of changes is told. */
export function watched(records: LayerRecords, { written, removed }: RecordEvents): LayerRecords {
  return {
    ...records,
    async put(record) {
      await records.put(record);
      written(record);
    },
    async remove(chainId) {
      const record = records.get(chainId);
      await records.remove(chainId);
      if (record) removed(record);
    },
  };
}
