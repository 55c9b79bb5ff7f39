/**
 * A digest for each bucket of ids, which tells two nodes where they differ: the sha256 of the bucket's ids in ascending order.
 * It is made from the store when somebody asks and the bucket has changed. (A sum or XOR of ids could be kept up without
 * reading them again, and whoever makes records could choose them so that a difference does not show.)
 */
import { createHash, type Hash, hash } from 'node:crypto';
import { BUCKETS } from './limits.ts';
import type { Digests, RecordId, RecordStore } from './types.ts';

export const DIGEST_BYTES = 32;
/** Of a bucket without ids, as most are in a small directory. */
const EMPTY = hash('sha256', '', 'buffer');

export function bucketOf(id: RecordId): number {
  return Number.parseInt(id.slice(0, 2), 16);
}

export class BucketDigests {
  readonly #store: RecordStore;
  readonly #digests = Buffer.alloc(BUCKETS * DIGEST_BYTES);
  /** Buckets whose digest is not that of their ids. */
  readonly #stale = new Set(Array(BUCKETS).keys());

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /** To be called once the change can be read. */
  changed(ids: Iterable<RecordId>): void {
    for (const id of ids) this.#stale.add(bucketOf(id));
  }

  /** A copy: what was given away does not change. */
  all(): Digests {
    for (const bucket of this.#stale) this.#digest(bucket).copy(this.#digests, bucket * DIGEST_BYTES);
    this.#stale.clear();
    return Buffer.from(this.#digests);
  }

  #digest(bucket: number): Buffer {
    let sha: Hash | undefined;
    for (const id of this.#store.ids(bucket)) {
      sha ??= createHash('sha256');
      sha.update(id, 'hex');
    }
    return sha?.digest() ?? EMPTY;
  }
}
