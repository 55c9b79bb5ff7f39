/**
 * The directory: a set of signed records, the same on every node that has received the same ones, in whatever order (holdings.ts),
 * and what they say together (view.ts). A record is durable before anybody is told of it.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ChainId, DiffId } from '../../blocks/types.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import { Holdings } from './holdings.ts';
import { indexKey, subjectKey } from './keys.ts';
import { BUCKETS, CAPACITY, type Capacity, MAX_REMOVAL_NAMES, SWEEP_EVERY_MS } from './limits.ts';
import { RecordError } from './refusal.ts';
import { signRecord } from './sign.ts';
import type {
  Contents,
  Digests,
  Held,
  Kind,
  RecordId,
  RecordStore,
  SignedRecord,
  Signer,
  SignerKey,
  Statement,
} from './types.ts';
import type { Verifier } from './verify.ts';
import type { View } from './view.ts';

export interface DirectoryOptions {
  store: RecordStore;
  verifier: Pick<Verifier, 'verify'>;
  /** Signs what is published here. */
  signer: Signer;
  clock: Clock;
  log: Log;
  capacity?: Capacity;
}

export type AddListener = (held: Held, record: SignedRecord) => void;

export class Directory {
  readonly #options: DirectoryOptions;
  readonly #store: RecordStore;
  readonly #holdings: Holdings;
  readonly #view: View;
  readonly #listeners = new Set<AddListener>();
  #cancelSweep = () => {};
  #closed = false;

  private constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#holdings = new Holdings(options.store, options.capacity ?? CAPACITY);
    this.#view = this.#holdings.view;
  }

  /** Finishes what a crash has interrupted, and sweeps; then again every SWEEP_EVERY_MS, until `close`. */
  static async open(options: DirectoryOptions): Promise<Directory> {
    const directory = new Directory(options);
    await directory.#holdings.sweep(options.clock.wall());
    directory.#sweepLater();
    return directory;
  }

  close(): void {
    this.#closed = true;
    this.#cancelSweep();
    this.#listeners.clear();
  }

  /** How many records are here, those that do not count among them. */
  get size(): number {
    return this.#holdings.count;
  }

  has(id: RecordId): boolean {
    return this.#store.has(id);
  }

  /** As it came, also when it does not count. */
  record(id: RecordId): SignedRecord | undefined {
    return this.#store.get(id);
  }

  /** Ids whose first byte is `bucket`, ascending, above `after`. */
  ids(bucket: number, after?: RecordId): Iterable<RecordId> {
    return this.#store.ids(bucket, after);
  }

  digests(): Digests {
    return this.#holdings.digests();
  }

  /** Nothing that was signed with this key counts, and who has it is no node any more. */
  isRevoked(key: SignerKey): boolean {
    return this.#holdings.isRevoked(key);
  }

  /** Who says what of this layer; trust.ts tells which of it to believe. */
  layersByChainId(chainId: ChainId): Held<'layer'>[] {
    return this.#view.counting(indexKey('layerByChain', chainId), 'layer');
  }

  /** The same layer bytes, on top of whatever. */
  layersByDiffId(diffId: DiffId): Held<'layer'>[] {
    return this.#view.counting(indexKey('layerByDiff', diffId), 'layer');
  }

  /** What this image's name stands for, by each node that has pulled it. */
  refs(image: string): Held<'ref'>[] {
    return this.#view.counting(indexKey('refByImage', image), 'ref');
  }

  /** More than one where several nodes have used one id: whoever restores knows which it wants. */
  checkpoint(id: string): Held<'checkpoint'>[] {
    return this.#view.counting(indexKey('checkpoint', id), 'checkpoint');
  }

  /** All records that count. Reads the whole store: not for look-ups. */
  *counting(): Iterable<Held> {
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      for (const id of this.#store.ids(bucket)) {
        const held = this.#view.held(id);
        if (held && this.#view.counts(held)) yield held;
      }
    }
  }

  /** Called for each new record once it is durable, removals and revocations among them. The answer ends it. */
  onAdd(listener: AddListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Adds a record that came from anywhere; `expected` is the id that it must have. Resolves once it is durable, and for a revocation
   * once nothing of the revoked key is left. Throws RecordError when it is not taken.
   */
  async put(record: SignedRecord, expected?: RecordId): Promise<'added' | 'known'> {
    return (await this.#put(record, expected)).outcome;
  }

  /**
   * Signs and adds what this node says. What it says already is not said again: that record is the answer. The record is of now,
   * or of later where one that was made by a faster clock would else end or replace it. Throws RecordError when it is not taken:
   * this node is revoked, say.
   */
  async publish<K extends Kind>(kind: K, content: Contents[K]): Promise<Held<K>> {
    const { signer, clock } = this.#options;
    const key = subjectKey(signer.key, kind, content);
    const before = key && this.#view.under(key, kind)[0];
    if (before && this.#view.counts(before as Held) && saysEnough(before as Held, content)) return before;
    const wanted = { kind, content } as Pick<Held, 'kind' | 'content'>;
    const createdMs = Math.max(clock.wall(), (before?.createdMs ?? -1) + 1, this.#earliestMs(wanted));
    const record = await signRecord(signer, { ...wanted, node: signer.name, createdMs } as Statement);
    return (await this.#put(record)).held as Held<K>;
  }

  /**
   * Ends the image in the whole cluster: its refs, and its layers as far as no other image's ref has them and they are not to be kept. Answers the
   * removals: none when no ref of the image counts.
   */
  async removeImage(image: string, kept: ReadonlySet<ChainId> = new Set()): Promise<Held<'removal'>[]> {
    const refs = this.refs(image);
    if (refs.length === 0) return [];
    const chainIds = [...new Set(refs.flatMap(({ content }) => content.chainIds))];
    const free = chainIds.filter((chainId) => !kept.has(chainId) && !this.#isUsedBeside(image, chainId));
    const removals: Held<'removal'>[] = [];
    for (let at = 0; at === 0 || at < free.length; at += MAX_REMOVAL_NAMES) {
      const some = free.slice(at, at + MAX_REMOVAL_NAMES);
      removals.push(await this.publish('removal', { image, chainIds: some, recordIds: [] }));
    }
    return removals;
  }

  /** A ref of some image has the layer. */
  isNamed(chainId: ChainId): boolean {
    return this.#isUsedBeside('', chainId);
  }

  #isUsedBeside(image: string, chainId: ChainId): boolean {
    const users = this.#view.counting(indexKey('refByChain', chainId), 'ref');
    return users.some(({ content }) => content.image !== image);
  }

  /** A removal is not older than what it ends; all else is newer than what ended it before. */
  #earliestMs(wanted: Pick<Held, 'kind' | 'content'>): number {
    const { kind, content } = wanted as Held;
    return kind === 'removal' ? this.#view.newestNamedMs(content) : this.#view.newestEndingMs(wanted) + 1;
  }

  async #put(record: SignedRecord, expected?: RecordId) {
    const { verifier, clock } = this.#options;
    const held = await verifier.verify(record, clock.wall());
    const { id, node: signer } = held;
    if (expected !== undefined && id !== expected)
      throw new RecordError('mismatch', `not the record that was asked for, ${expected}`, { id, signer });
    const outcome = await this.#holdings.add(held, record, clock.wall());
    if (outcome === 'added') for (const listener of this.#listeners) listener(held, record);
    return { held, outcome };
  }

  #sweepLater(): void {
    const { clock, log } = this.#options;
    this.#cancelSweep = clock.after(SWEEP_EVERY_MS, async () => {
      try {
        await this.#holdings.sweep(clock.wall());
      } catch (error) {
        log.error({ err: error }, 'old records could not be removed from the directory; tried again later');
      }
      if (!this.#closed) this.#sweepLater();
    });
  }
}

/** A node that has once made a root itself has nothing to add by copying it. */
function saysEnough(before: Held, content: Contents[Kind]): boolean {
  if (isDeepStrictEqual(before.content, content)) return true;
  if (before.kind !== 'layer') return false;
  const { root, origin } = content as Contents['layer'];
  return origin === 'copied' && before.content.origin !== 'copied' && before.content.root === root;
}
