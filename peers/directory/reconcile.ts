/**
 * Anti-entropy: what a peer has and this node lacks is found by comparing a digest for each of 256 buckets, then the ids in those that
 * differ, and fetched. An exchange goes one way; after one in each direction both have the same records.
 *
 * Only a page of ids and a batch of records are held at a time. Every answer is checked against what was asked. A peer that breaks
 * that or sends a bad record is cut off by WireError, and what it sent before that was good stays. Nor can one go on for ever: ids
 * ascend, and each is of a record that is here, that the peer delivers, or that is one of MAX_REFUSED_PER_EXCHANGE. Records that
 * are not at fault and yet not taken (refusal.ts) are left alone for a while.
 */
import { LRUCache } from 'lru-cache';
import { isSha256 } from '../../blocks/block.ts';
import type { Clock } from '../clock.ts';
import { WireError } from '../exchange/wire.ts';
import type { Log } from '../types.ts';
import { bucketOf, DIGEST_BYTES } from './digests.ts';
import type { Directory } from './directory.ts';
import {
  BUCKETS,
  IDS_PER_PAGE,
  MAX_REFUSED_PER_EXCHANGE,
  RECORDS_PER_REQUEST,
  REFUSED_REMEMBERED,
  REFUSED_REMEMBERED_MS,
} from './limits.ts';
import { blamed, RecordError } from './refusal.ts';
import type { Digests, IdsPage, ReconcilePeer, RecordId, SignedRecord } from './types.ts';

export interface Outcome {
  added: number;
  /** Not taken, without being the peer's fault. */
  refused: number;
  /** False when it stopped at MAX_REFUSED_PER_EXCHANGE: the next exchange goes on. */
  complete: boolean;
}

export interface ReconcilerOptions {
  directory: Directory;
  clock: Clock;
  log: Log;
}

export class Reconciler {
  readonly #directory: Directory;
  readonly #log: Log;
  readonly #clock: Clock;
  /** Made when there is something to remember: it sets all its places aside. */
  #refused: LRUCache<RecordId, true> | undefined;

  constructor({ directory, clock, log }: ReconcilerOptions) {
    this.#directory = directory;
    this.#log = log;
    this.#clock = clock;
  }

  /** Takes over what `peer`, called `name` in the log, has more. Throws WireError when it breaks the protocol, and what `peer` throws. */
  async pull(peer: ReconcilePeer, name: string, signal?: AbortSignal): Promise<Outcome> {
    const outcome = { added: 0, refused: 0, complete: true };
    const buckets = differing(this.#directory.digests(), await peer.digest());
    if (buckets.length === 0) return outcome;
    let after: RecordId | undefined;
    for (let more = true; more; ) {
      signal?.throwIfAborted();
      const page = checkedPage(await peer.ids(buckets, after), buckets, after);
      await this.#fetch(peer, name, page.ids, outcome, signal);
      if (outcome.refused >= MAX_REFUSED_PER_EXCHANGE) return { ...outcome, complete: false };
      after = page.ids.at(-1);
      more = page.more;
    }
    return outcome;
  }

  async #fetch(
    peer: ReconcilePeer,
    name: string,
    ids: readonly RecordId[],
    outcome: Outcome,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const missing = ids.filter((id) => !this.#directory.has(id) && !this.#refused?.has(id));
    for (let at = 0; at < missing.length && outcome.refused < MAX_REFUSED_PER_EXCHANGE; ) {
      signal?.throwIfAborted();
      const asked = missing.slice(at, at + RECORDS_PER_REQUEST);
      const records = await peer.records(asked);
      if (records.length === 0) throw new WireError(`record ${asked[0]} was listed, and is not there`);
      if (records.length > asked.length)
        throw new WireError(`${records.length} records for ${asked.length} ids`);
      await this.#take(records, asked, name, outcome);
      at += records.length;
    }
  }

  /** All are put, side by side, so that they share a flush; then the first bad one ends the exchange. */
  async #take(
    records: readonly SignedRecord[],
    asked: readonly RecordId[],
    name: string,
    outcome: Outcome,
  ): Promise<void> {
    const puts = await Promise.allSettled(records.map((record, i) => this.#directory.put(record, asked[i])));
    const errors: unknown[] = [];
    for (const [i, put] of puts.entries()) {
      if (put.status === 'fulfilled') outcome.added += put.value === 'added' ? 1 : 0;
      else if (put.reason instanceof RecordError && !put.reason.bad) {
        this.#refuse(asked[i]!);
        outcome.refused++;
      } else errors.push(put.reason);
    }
    const [first] = errors;
    if (first instanceof RecordError) throw blamed(first, name, this.#log);
    if (errors.length > 0) throw first;
  }

  #refuse(id: RecordId): void {
    this.#refused ??= new LRUCache({
      max: REFUSED_REMEMBERED,
      ttl: REFUSED_REMEMBERED_MS,
      ttlResolution: 0,
      perf: { now: () => this.#clock.now() },
    });
    this.#refused.set(id, true);
  }
}

function differing(ours: Digests, theirs: Digests): number[] {
  if (theirs.length !== ours.length) throw new WireError(`${theirs.length} bytes of digests`);
  if (Buffer.compare(ours, theirs) === 0) return [];
  const of = (digests: Digests, bucket: number) =>
    Buffer.from(digests.buffer, digests.byteOffset + bucket * DIGEST_BYTES, DIGEST_BYTES);
  const all = Array.from({ length: BUCKETS }, (_, bucket) => bucket);
  return all.filter((bucket) => !of(ours, bucket).equals(of(theirs, bucket)));
}

function checkedPage(page: IdsPage, buckets: readonly number[], after: RecordId | undefined): IdsPage {
  const { ids, more } = page;
  if (ids.length > IDS_PER_PAGE) throw new WireError(`a page of ${ids.length} ids`);
  if (more && ids.length === 0) throw new WireError('an empty page of ids that is not the last');
  const wanted = new Set(buckets);
  let last = after ?? '';
  for (const id of ids) {
    if (!isSha256(id) || id <= last || !wanted.has(bucketOf(id)))
      throw new WireError('a page of ids that does not go on from the one before');
    last = id;
  }
  return page;
}
