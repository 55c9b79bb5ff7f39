/**
 * The catalogue, durable in LMDB: one value a snapshot, under its id.
 *
 * Order of effects: changes of the catalogue are made in batches, one batch at a time; a batch is one transaction, and
 * nobody is told of a change before its transaction is flushed to disk. So after a crash every answer ever given is
 * true, and memory is never more than one batch ahead of the disk. A batch that cannot be written is undone by reading
 * all records again. (`metadata.test.ts` guards both.)
 */
import type { Database } from 'lmdb';
import { Catalogue } from './catalogue.ts';
import type { SnapshotRecord } from './record.ts';

export type SnapshotDatabase = Database<SnapshotRecord, number>;

interface Change {
  /** Answers the ids of the records that it touched. */
  apply(catalogue: Catalogue): { touched: number[]; succeed: () => void };
  fail(error: unknown): void;
}

export class Metadata {
  readonly #db: SnapshotDatabase;
  readonly #waiting: Change[] = [];
  #catalogue: Catalogue;
  #writing: Promise<void> | undefined;

  constructor(db: SnapshotDatabase) {
    this.#db = db;
    this.#catalogue = this.#load(1);
  }

  /** For reading only. May hold what is still on its way to the disk: see `settled`. */
  get catalogue(): Catalogue {
    return this.#catalogue;
  }

  /**
   * Makes one change: `change` alters the catalogue and returns the records that it made, replaced or removed, or throws
   * before it has altered anything. Resolves once that is durable.
   */
  change<R extends SnapshotRecord | undefined>(change: (catalogue: Catalogue) => R): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        apply(catalogue) {
          const result = change(catalogue);
          return { touched: result === undefined ? [] : [result.id], succeed: () => resolve(result) };
        },
        fail: reject,
      });
      this.#writing ??= this.#write();
    });
  }

  /** Resolves once all that the catalogue shows now is durable. */
  async settled(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    // Calls of the same turn of the event loop share a transaction.
    await Promise.resolve();
    while (this.#waiting.length > 0) await this.#writeBatch(this.#waiting.splice(0));
    this.#writing = undefined;
  }

  async #writeBatch(changes: Change[]): Promise<void> {
    const touched = new Set<number>();
    const made: { change: Change; succeed: () => void }[] = [];
    for (const change of changes) {
      try {
        const applied = change.apply(this.#catalogue);
        for (const id of applied.touched) touched.add(id);
        made.push({ change, succeed: applied.succeed });
      } catch (error) {
        change.fail(error);
      }
    }
    try {
      if (touched.size > 0) await this.#store(touched);
      for (const { succeed } of made) succeed();
    } catch (error) {
      this.#catalogue = this.#load(this.#catalogue.nextId);
      for (const { change } of made) change.fail(error);
    }
  }

  async #store(ids: Set<number>): Promise<void> {
    await this.#db.transaction(() => {
      for (const id of ids) {
        const record = this.#catalogue.byId(id);
        if (record === undefined) this.#db.remove(id);
        else this.#db.put(id, record);
      }
    });
    await this.#db.flushed;
  }

  #load(nextId: number): Catalogue {
    const records: SnapshotRecord[] = [];
    for (const { value } of this.#db.getRange()) records.push(value);
    return new Catalogue(records, nextId);
  }
}
