/**
 * All snapshots of this node in memory, and the rules of their lifecycle. Pure: `metadata.ts` makes its changes durable.
 *
 * Invariants (`checkInvariants`, run by the tests after each change):
 * - names and ids are unique, and `nextId` is above every id and every `before`;
 * - a parent is there, is committed, and has a lower id (so chains end);
 * - the indexes by parent and by chainID say what the records say.
 */

import assert from 'node:assert/strict';
import { wallClockMs } from '../blocks/libc.ts';
import type { ChainId } from '../blocks/types.ts';
import { SnapshotError } from './errors.ts';
import { updateLabels } from './field-mask.ts';
import {
  type CommittedRecord,
  type LayerState,
  layerNameOf,
  type OpenRecord,
  REF_LABEL,
  type SnapshotRecord,
} from './record.ts';
import type { Usage } from './types.ts';

type Labels = Record<string, string>;

export class Catalogue {
  readonly #byName = new Map<string, SnapshotRecord>();
  readonly #byId = new Map<number, SnapshotRecord>();
  readonly #children = new Index<string>();
  readonly #ofChain = new Index<ChainId>();
  #nextId: number;

  constructor(records: Iterable<SnapshotRecord> = [], nextId = 1) {
    this.#nextId = nextId;
    for (const record of records) this.#set(record);
  }

  /** A new snapshot gets this id or a later one. */
  get nextId(): number {
    return this.#nextId;
  }

  /** No other snapshot will have it, also if no snapshot comes of it. */
  takeId(): number {
    return this.#nextId++;
  }

  get(name: string): SnapshotRecord | undefined {
    return this.#byName.get(name);
  }

  byId(id: number): SnapshotRecord | undefined {
    return this.#byId.get(id);
  }

  /** Throws `not-found`. */
  need(name: string): SnapshotRecord {
    const record = this.#byName.get(name);
    if (record === undefined) throw new SnapshotError('not-found', `snapshot ${name} does not exist`);
    return record;
  }

  /** For a parent. Throws `not-found`, or `invalid-argument` where it is not committed. */
  needCommitted(name: string): CommittedRecord {
    const record = this.#byName.get(name);
    if (record === undefined) throw new SnapshotError('not-found', `parent snapshot ${name} does not exist`);
    if (record.kind !== 'committed') {
      throw new SnapshotError('invalid-argument', `parent snapshot ${name} is not committed`);
    }
    return record;
  }

  /** All records as they are now; safe against changes during the walk. */
  all(): SnapshotRecord[] {
    return [...this.#byName.values()];
  }

  /** The layers below, nearest first. */
  chain(record: SnapshotRecord): CommittedRecord[] {
    const below: CommittedRecord[] = [];
    for (let name = record.parent; name !== ''; ) {
      const parent = this.needCommitted(name);
      below.push(parent);
      name = parent.parent;
    }
    return below;
  }

  hasChain(chainId: ChainId): boolean {
    return this.#ofChain.get(chainId).size > 0;
  }

  /** What containerd would find when it is told that a layer "already exists" on this parent. */
  offered(chainId: ChainId, parent: string): CommittedRecord | undefined {
    for (const id of this.#children.get(parent)) {
      const record = this.#byId.get(id)!;
      if (record.kind === 'committed' && record.labels[REF_LABEL] === chainId) return record;
    }
    return undefined;
  }

  /** Throws what `create` would throw. */
  checkNew(name: string, parent: string): void {
    if (name === '') throw new SnapshotError('invalid-argument', 'a snapshot needs a name');
    if (this.#byName.has(name)) throw new SnapshotError('already-exists', `snapshot ${name} exists`);
    if (parent !== '') this.needCommitted(parent);
  }

  create(kind: OpenRecord['kind'], id: number, name: string, parent: string, labels: Labels): OpenRecord {
    this.checkNew(name, parent);
    const createdAtMs = wallClockMs();
    return this.#set({ kind, id, name, parent, labels, createdAtMs, updatedAtMs: createdAtMs });
  }

  /** An active snapshot becomes a committed one of another name. Labels are replaced. */
  commit(name: string, key: string, labels: Labels, usage: Usage): CommittedRecord {
    const active = this.need(key);
    if (active.kind !== 'active')
      throw new SnapshotError('failed-precondition', `snapshot ${key} is not active`);
    this.checkNew(name, active.parent);
    const createdAtMs = wallClockMs();
    this.#delete(active);
    return this.#set({
      kind: 'committed',
      id: active.id,
      name,
      parent: active.parent,
      labels,
      createdAtMs,
      updatedAtMs: createdAtMs,
      chainId: layerNameOf(name)?.chainId ?? '',
      usage,
      layer: { at: 'directory' },
    });
  }

  /** A committed snapshot of a layer that was never unpacked here. */
  createOffered(
    id: number,
    name: string,
    parent: string,
    labels: Labels,
    chainId: ChainId,
    layer: LayerState,
  ): CommittedRecord {
    this.checkNew(name, parent);
    const createdAtMs = wallClockMs();
    const usage = { sizeBytes: 0, inodes: 0 };
    const times = { createdAtMs, updatedAtMs: createdAtMs };
    return this.#set({ kind: 'committed', id, name, parent, labels, ...times, chainId, usage, layer });
  }

  remove(name: string): SnapshotRecord {
    const record = this.need(name);
    if (this.#children.get(name).size > 0) {
      throw new SnapshotError('failed-precondition', `cannot remove snapshot ${name}: it has children`);
    }
    this.#delete(record);
    return record;
  }

  update(name: string, labels: Labels, fields: readonly string[]): SnapshotRecord {
    const record = this.need(name);
    const updated = {
      ...record,
      labels: updateLabels(record.labels, labels, fields),
      updatedAtMs: wallClockMs(),
    };
    return this.#replace(record, updated);
  }

  setLayer(record: CommittedRecord, layer: LayerState): CommittedRecord {
    return this.#replace(record, { ...record, layer });
  }

  checkInvariants(): void {
    let children = 0;
    let chains = 0;
    for (const record of this.#byId.values()) {
      assert.equal(this.#byName.get(record.name), record);
      assert.ok(record.id < this.#nextId);
      if (record.parent !== '') assert.ok(this.needCommitted(record.parent).id < record.id);
      assert.ok(this.#children.get(record.parent).has(record.id));
      children++;
      if (record.kind !== 'committed') continue;
      if (record.layer.at === 'swapped') assert.ok(record.layer.before <= this.#nextId);
      if (record.chainId === '') continue;
      assert.ok(this.#ofChain.get(record.chainId).has(record.id));
      chains++;
    }
    assert.equal(this.#byName.size, this.#byId.size);
    assert.equal(this.#children.size, children);
    assert.equal(this.#ofChain.size, chains);
  }

  #set<R extends SnapshotRecord>(record: R): R {
    this.#byName.set(record.name, record);
    this.#byId.set(record.id, record);
    this.#children.add(record.parent, record.id);
    if (record.kind === 'committed') {
      if (record.chainId !== '') this.#ofChain.add(record.chainId, record.id);
      if (record.layer.at === 'swapped') this.#nextId = Math.max(this.#nextId, record.layer.before);
    }
    this.#nextId = Math.max(this.#nextId, record.id + 1);
    return record;
  }

  #delete(record: SnapshotRecord): void {
    this.#byName.delete(record.name);
    this.#byId.delete(record.id);
    this.#children.delete(record.parent, record.id);
    if (record.kind === 'committed' && record.chainId !== '') this.#ofChain.delete(record.chainId, record.id);
  }

  /** Records are never changed in place, so whoever holds one holds what was true then. */
  #replace<R extends SnapshotRecord>(before: SnapshotRecord, after: R): R {
    this.#delete(before);
    return this.#set(after);
  }
}

/** Ids under a key; an empty set costs nothing. */
class Index<K> {
  static readonly #NONE: ReadonlySet<number> = new Set();
  readonly #ids = new Map<K, Set<number>>();
  size = 0;

  get(key: K): ReadonlySet<number> {
    return this.#ids.get(key) ?? Index.#NONE;
  }

  add(key: K, id: number): void {
    const ids = this.#ids.get(key);
    if (ids) ids.add(id);
    else this.#ids.set(key, new Set([id]));
    this.size++;
  }

  delete(key: K, id: number): void {
    const ids = this.#ids.get(key)!;
    ids.delete(id);
    if (ids.size === 0) this.#ids.delete(key);
    this.size--;
  }
}
