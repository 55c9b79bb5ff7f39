/**
 * Record stores of simulated nodes. A record is kept once, with where it is found, for all nodes that have it; a node's store
 * knows which ones it has. So a record costs a thousand nodes little more than one, and travels by reference: what was
 * verified once is known again (records.ts). Transactions run at once, and resolve later.
 */
import { bucketOf } from '../../peers/directory/digests.ts';
import { BUCKETS } from '../../peers/directory/limits.ts';
import type {
  IndexEntry,
  IndexKey,
  RecordId,
  RecordStore,
  RecordWriter,
  StoredRecord,
} from '../../peers/directory/types.ts';

/** All records that were ever put anywhere, and how they are found: lists are ascending by id. */
export class RecordPool {
  readonly #records = new Map<RecordId, StoredRecord>();
  readonly #buckets = Array.from({ length: BUCKETS }, (): RecordId[] => []);
  readonly #index = new Map<string, IndexEntry[]>();

  put(id: RecordId, record: StoredRecord, keys: readonly IndexKey[]): void {
    if (this.#records.has(id)) return;
    const { body, certificate, signature } = record;
    this.#records.set(id, {
      ...record,
      body: Buffer.from(body),
      certificate: Buffer.from(certificate),
      signature: Buffer.from(signature),
    });
    this.#buckets[bucketOf(id)]!.push(id);
    this.#buckets[bucketOf(id)]!.sort();
    const entry = { id, createdMs: record.createdMs };
    for (const key of keys.map(nameOf)) {
      const entries = [...(this.#index.get(key) ?? []), entry];
      this.#index.set(
        key,
        entries.sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
    }
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#records.get(id);
  }

  under(key: IndexKey): readonly IndexEntry[] {
    return this.#index.get(nameOf(key)) ?? [];
  }

  /** All keys with this first byte, in hex, and what is under them. */
  *tagged(tag: number): Iterable<[string, readonly IndexEntry[]]> {
    for (const [name, entries] of this.#index) {
      if (name.charCodeAt(0) === tag) yield [Buffer.from(name, 'latin1').toString('hex'), entries];
    }
  }

  bucket(bucket: number): readonly RecordId[] {
    return this.#buckets[bucket]!;
  }
}

export class SimRecordStore implements RecordStore {
  readonly #pool: RecordPool;
  readonly #here = new Set<RecordId>();

  constructor(pool: RecordPool) {
    this.#pool = pool;
  }

  /** In no order that means anything. */
  all(): Iterable<RecordId> {
    return this.#here.values();
  }

  isEmpty(): boolean {
    return this.#here.size === 0;
  }

  has(id: RecordId): boolean {
    return this.#here.has(id);
  }

  get(id: RecordId): StoredRecord | undefined {
    return this.#here.has(id) ? this.#pool.get(id) : undefined;
  }

  under(key: IndexKey): IndexEntry[] {
    return this.#pool.under(key).filter(({ id }) => this.#here.has(id));
  }

  tally(tag: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const [key, entries] of this.#pool.tagged(tag)) {
      const count = entries.filter(({ id }) => this.#here.has(id)).length;
      if (count > 0) counts.set(key, count);
    }
    return counts;
  }

  ids(bucket: number, after = ''): RecordId[] {
    return this.#pool.bucket(bucket).filter((id) => id > after && this.#here.has(id));
  }

  async transact<R>(change: (writer: RecordWriter) => R): Promise<R> {
    return change({
      put: (id, record, keys) => {
        this.#pool.put(id, record, keys);
        this.#here.add(id);
      },
      remove: (id) => void this.#here.delete(id),
    });
  }
}

function nameOf(key: IndexKey): string {
  return key.toString('latin1');
}
