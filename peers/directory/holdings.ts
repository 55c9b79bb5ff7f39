/**
 * All changes of the set of records. Each is one transaction that decides by what is there when it runs, so it does not matter
 * how many are under way.
 *
 * - A checked record is added together with dropping what it replaces.
 * - What a removal ends stays, out of sight, for ENDED_KEPT_MS: should the removal's signer be revoked, it counts again. The
 *   sweep drops it then; a record that is already so far gone is not taken. The removal itself stays until REMOVAL_KEPT_MS, so
 *   that what it ended does not come back from a node that has not swept yet.
 * - A revocation drops all that its key has signed, DROPPED_AT_ONCE by DROPPED_AT_ONCE. `revoked` keeps that from counting, and
 *   from growing, from the first moment; after a crash the sweep goes on.
 *
 * `converge.test.ts` holds the set against random orders of arrival, `holdings.test.ts` against crashes and time.
 */
import { Counts } from './counts.ts';
import { BucketDigests } from './digests.ts';
import { indexKey, keysOf, subjectKey } from './keys.ts';
import { type Capacity, DROPPED_AT_ONCE, ENDED_KEPT_MS, REMOVAL_KEPT_MS } from './limits.ts';
import { type Reason, RecordError } from './refusal.ts';
import type { Digests, Held, RecordId, RecordStore, RecordWriter, SignedRecord, SignerKey } from './types.ts';
import { View } from './view.ts';

export class Holdings {
  readonly view: View;
  readonly #store: RecordStore;
  readonly #capacity: Capacity;
  readonly #digests: BucketDigests;
  readonly #revoked = new Set<SignerKey>();
  #counts: Counts;

  constructor(store: RecordStore, capacity: Capacity) {
    this.#store = store;
    this.#capacity = capacity;
    this.#digests = new BucketDigests(store);
    this.view = new View(store, this.#revoked);
    this.#counts = new Counts(store, capacity);
    this.#readRevoked();
  }

  isRevoked(key: SignerKey): boolean {
    return this.#revoked.has(key);
  }

  get count(): number {
    return this.#counts.total;
  }

  digests(): Digests {
    return this.#digests.all();
  }

  /** Adds a record that was verified. Durable when this resolves; throws RecordError when it is not taken. */
  async add(held: Held, record: SignedRecord, nowMs: number): Promise<'added' | 'known'> {
    const { id, signer, node, createdMs } = held;
    const outcome = await this.#transact((writer) => {
      if (this.#store.has(id)) return 'known';
      const before = this.#sameSubject(held);
      const reason = this.#unwelcome(held, before, nowMs);
      if (reason) return new RecordError(reason, MESSAGES[reason], { id, signer: node });
      if (before) this.#drop(writer, before);
      writer.put(id, { ...record, signer, createdMs }, keysOf(held));
      this.#counts.add(signer, 1);
      if (held.kind === 'revocation') this.#revoked.add(held.content.key);
      return before ? [id, before.id] : [id];
    });
    if (outcome instanceof RecordError) throw outcome;
    if (outcome === 'known') return outcome;
    this.#digests.changed(outcome);
    if (held.kind === 'revocation') await this.#dropSigner(held.content.key);
    return 'added';
  }

  /** Finishes what a crash or a full disk has interrupted, and drops what time has run out for. */
  async sweep(nowMs: number): Promise<void> {
    for (const key of this.#revoked) await this.#dropSigner(key);
    for (const { id, createdMs } of this.#store.under(indexKey('kind', 'removal'))) {
      const removal = this.view.held(id);
      if (removal?.kind !== 'removal') continue;
      if (createdMs < nowMs - ENDED_KEPT_MS) await this.#dropAll(this.view.endedBy(removal));
      if (createdMs < nowMs - REMOVAL_KEPT_MS) await this.#dropAll([id]);
    }
  }

  #sameSubject(held: Held): Held | undefined {
    const key = subjectKey(held.signer, held.kind, held.content);
    return key && this.view.under(key, held.kind)[0];
  }

  #unwelcome(held: Held, before: Held | undefined, nowMs: number): keyof typeof MESSAGES | undefined {
    if (this.#revoked.has(held.signer)) return 'revoked';
    if (held.kind === 'removal' && held.createdMs < nowMs - REMOVAL_KEPT_MS) return 'expired';
    if (before && isNewer(before, held)) return 'superseded';
    const endedMs = this.view.endedMs(held);
    if (endedMs !== undefined && endedMs < nowMs - ENDED_KEPT_MS) return 'ended';
    return before ? undefined : this.#counts.lacking(held.signer, held.kind);
  }

  async #dropSigner(key: SignerKey): Promise<void> {
    await this.#dropAll(this.#store.under(indexKey('signer', key)).map(({ id }) => id));
  }

  async #dropAll(ids: readonly RecordId[]): Promise<void> {
    for (let at = 0; at < ids.length; at += DROPPED_AT_ONCE) {
      const some = ids.slice(at, at + DROPPED_AT_ONCE);
      await this.#transact((writer) => {
        for (const id of some) {
          const held = this.view.held(id);
          if (held) this.#drop(writer, held);
        }
      });
      this.#digests.changed(some);
    }
  }

  #drop(writer: RecordWriter, held: Held): void {
    writer.remove(held.id, keysOf(held));
    this.#counts.add(held.signer, -1);
  }

  /** Memory goes ahead of the disk within a transaction; where that fails, it is read from disk again. */
  async #transact<R>(change: (writer: RecordWriter) => R): Promise<R> {
    try {
      return await this.#store.transact(change);
    } catch (error) {
      this.#counts = new Counts(this.#store, this.#capacity);
      this.#readRevoked();
      throw error;
    }
  }

  #readRevoked(): void {
    this.#revoked.clear();
    for (const held of this.view.under(indexKey('kind', 'revocation'), 'revocation'))
      this.#revoked.add(held.content.key);
  }
}

const MESSAGES = {
  revoked: "the signer's certificate is revoked",
  expired: 'a removal from too long ago',
  superseded: 'the signer has said something newer of the same thing',
  ended: 'removed long ago',
  signerFull: 'the signer has as many records as one may have',
  full: 'the directory is full',
} as const satisfies Partial<Record<Reason, string>>;

/** The same on every node: by time, then by id. */
function isNewer(a: Held, b: Held): boolean {
  return a.createdMs === b.createdMs ? a.id > b.id : a.createdMs > b.createdMs;
}
