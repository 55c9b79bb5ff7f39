/** The record store's twin in memory, for tests and simulations. Transactions run at once, and resolve later. */
import { BUCKETS } from './limits.ts';
import type { IndexEntry, IndexKey, RecordId, RecordStore, RecordWriter, StoredRecord } from './types.ts';

export class MemoryRecordStore implements RecordStore {
  readonly #records = new Map<RecordId, StoredRecord>();
  readonly #buckets = Array.from({ length: BUCKETS }, () => new Set<RecordId>());
  readonly #index = new Map<string, Map<RecordId, number>>();

  isEmpty(): boolean {
    return this.#records.size === 0;
  }

  has(id: RecordId): boolean {
    return this.#records.has(id);
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#records.get(id);
  }

  under(key: IndexKey): IndexEntry[] {
    const entries = [...(this.#index.get(key.toString('hex')) ?? [])];
    return entries.map(([id, createdMs]) => ({ id, createdMs })).sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  tally(tag: number): Map<string, number> {
    const counts = new Map<string, number>();
    const prefix = Buffer.from([tag]).toString('hex');
    for (const [key, entries] of this.#index) if (key.startsWith(prefix)) counts.set(key, entries.size);
    return counts;
  }

  ids(bucket: number, after = ''): RecordId[] {
    return [...this.#buckets[bucket]!].filter((id) => id > after).sort();
  }

  async transact<R>(change: (writer: RecordWriter) => R): Promise<R> {
    return change({
      put: (id, record, keys) => this.#put(id, record, keys),
      remove: (id, keys) => this.#remove(id, keys),
    });
  }

  #put(id: RecordId, record: StoredRecord, keys: readonly IndexKey[]): void {
    const { body, certificate, signature } = record;
    this.#records.set(id, {
      ...record,
      body: Buffer.from(body),
      certificate: Buffer.from(certificate),
      signature: Buffer.from(signature),
    });
    this.#bucketOf(id).add(id);
    for (const key of keys.map((bytes) => bytes.toString('hex'))) {
      const entries = this.#index.get(key) ?? new Map();
      this.#index.set(key, entries.set(id, record.createdMs));
    }
  }

  #remove(id: RecordId, keys: readonly IndexKey[]): void {
    this.#records.delete(id);
    this.#bucketOf(id).delete(id);
    for (const key of keys.map((bytes) => bytes.toString('hex'))) {
      const entries = this.#index.get(key);
      entries?.delete(id);
      if (entries?.size === 0) this.#index.delete(key);
    }
  }

  #bucketOf(id: RecordId): Set<RecordId> {
    return this.#buckets[Number.parseInt(id.slice(0, 2), 16)]!;
  }
}
