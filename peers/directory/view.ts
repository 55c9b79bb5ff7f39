/**
 * What the records in a store say together. It is worked out at each question from the set of records, and depends on nothing
 * else: not on the order in which they came. A question reads the records under its keys, never all.
 */
import { decodeBody } from './body.ts';
import { indexKey } from './keys.ts';
import type { Held, IndexEntry, IndexKey, Kind, RecordId, RecordStore, Removal, SignerKey } from './types.ts';

export class View {
  readonly #store: RecordStore;
  /** What these signed counts no more, also while it is being dropped. */
  readonly #revoked: ReadonlySet<SignerKey>;

  constructor(store: RecordStore, revoked: ReadonlySet<SignerKey>) {
    this.#store = store;
    this.#revoked = revoked;
  }

  held(id: RecordId): Held | undefined {
    const stored = this.#store.get(id);
    return stored && { ...decodeBody(stored.body), id, signer: stored.signer };
  }

  /** Records of this kind under the key, also those that do not count, ascending by id. */
  under<K extends Kind>(key: IndexKey, kind: K): Held<K>[] {
    const found = this.#store.under(key).map(({ id }) => this.held(id));
    return found.filter((held) => held?.kind === kind) as Held<K>[];
  }

  /** Those of them that count. */
  counting<K extends Kind>(key: IndexKey, kind: K): Held<K>[] {
    return this.under(key, kind).filter((held) => this.counts(held as Held));
  }

  counts(held: Held): boolean {
    return !this.#revoked.has(held.signer) && this.endedMs(held) === undefined;
  }

  /** When the first removal that ends it was made; undefined when none does. */
  endedMs(held: Held): number | undefined {
    const times = this.#endings(held).map(({ createdMs }) => createdMs);
    return times.length === 0 ? undefined : times.reduce((first, ms) => Math.min(first, ms));
  }

  #endings(held: Held): IndexEntry[] {
    if (!canEnd(held.kind)) return [];
    const byId = saidBy(held).flatMap((id) => this.#store.under(indexKey('endsRecord', id)));
    const byName = endingKey(held);
    if (byName === undefined) return byId;
    return [...byId, ...this.#store.under(byName).filter(({ createdMs }) => createdMs >= held.createdMs)];
  }

  /** The records that are here and that this removal ends. */
  endedBy({ createdMs, content }: Held<'removal'>): RecordId[] {
    const named = namedKeys(content).flatMap((key) => this.#store.under(key));
    const byName = named.filter((entry) => entry.createdMs <= createdMs).map(({ id }) => id);
    const byId = content.recordIds.filter((id) => canEnd(this.held(id)?.kind));
    const repeating = content.recordIds.flatMap((id) => this.#store.under(indexKey('repeats', id)));
    return [...new Set([...byName, ...byId, ...repeating.map(({ id }) => id)])];
  }

  /** The newest record that such a removal is to end; -1 when there is none. */
  newestNamedMs(removal: Removal): number {
    const byName = namedKeys(removal).map((key) => this.#newestMs(key));
    const byId = removal.recordIds.map((id) => this.#store.get(id)?.createdMs ?? -1);
    return newest([...byName, ...byId]);
  }

  /** The newest removal that such a record must be newer than to count; -1 when there is none. */
  newestEndingMs(held: Pick<Held, 'kind' | 'content'>): number {
    const key = endingKey(held);
    return key === undefined ? -1 : this.#newestMs(key);
  }

  #newestMs(key: IndexKey): number {
    return newest(this.#store.under(key).map(({ createdMs }) => createdMs));
  }
}

function newest(times: readonly number[]): number {
  return times.reduce((last, ms) => Math.max(last, ms), -1);
}

function canEnd(kind: Kind | undefined): boolean {
  return kind === 'layer' || kind === 'ref' || kind === 'checkpoint';
}

/** The record itself, and the one that it says again. */
export function saidBy({ id, kind, content }: Held): RecordId[] {
  return kind === 'checkpoint' && content.repeats !== undefined ? [id, content.repeats] : [id];
}

/** Where removals are that end such records by name. */
function endingKey(held: Pick<Held, 'kind' | 'content'>): IndexKey | undefined {
  const { kind, content } = held as Held;
  if (kind === 'layer') return indexKey('endsChain', content.chainId);
  if (kind === 'ref') return indexKey('endsImage', content.image);
  return undefined;
}

/** Where records are that such a removal ends by name. */
function namedKeys({ chainIds, image }: Removal): IndexKey[] {
  const layers = chainIds.map((chainId) => indexKey('layerByChain', chainId));
  return image === '' ? layers : [...layers, indexKey('refByImage', image)];
}
