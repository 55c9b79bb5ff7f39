/**
 * What a node is to keep, to fetch and to drop. Pure: a `Survey` is shown what is here and what the known volumes name, and
 * answers with a plan; `asksFor` makes the questions to the owners. custodian.ts carries it out.
 *
 * THE RULE. A node drops a block only when, in its own view of the members, it is not an owner, there are at least r
 * (= `replicas`) owners, and each of them has pinned the block *during this attempt*. A pin is given only by a node that has the
 * block durably, is an owner in its own view, and has no attempt open on this block itself. (attempts.ts, pins.ts)
 *
 * THE CLAIM. Once r nodes have pinned a block, at least r nodes hold it durably at any later time, whatever each believes the
 * membership to be; so when fewer than r of the nodes that have pinned it are destroyed, a copy is left.
 *
 * WHY. Let an attempt last from s (its start) to d (the drop). Say that a drop *rests on* the r nodes that pinned during it.
 *   1. If a drop by X, from s(X), rests on Y, and Y drops the block after it has pinned it, then s(Y) > s(X): when Y pinned, which was
 *      after s(X), it saw that no attempt of its own was open, so the one that led to its drop began later.
 *   2. Begin with the r nodes that pinned first. If none has dropped the block, they hold it. Otherwise follow the drops: from a
 *      node that has dropped to the r nodes that the drop rests on, and on from those of them that have dropped since. By 1
 *      the starts grow along each path, and there have been finitely many attempts: so among the drops that are reached there is one
 *      that began last. Of the r nodes that it rests on none has dropped since, or that drop would have begun later. Those r
 *      nodes hold the block.
 *   3. So two nodes that each take the other for an owner cannot both drop: the second attempt to begin gets no pin from the first.
 *      This needs no agreement on who the members are, no clock, and no message that surely arrives.
 * Where all see the same weights, there is a second reason: X rests on nodes that come before X in the order of costs, so there is
 * no circle anyway. It fails while a change of capacity is under way; the first needs nothing of the kind. That only an
 * owner pins is needed for neither: it keeps blocks from coming to rest where they do not belong.
 * A process that crashes ends its attempts without a drop. A loss of power takes nothing that was pinned: block and
 * pin are durable before the answer. A destroyed disk takes one of the r: hence "fewer than r".
 *
 * Volumes that were removed everywhere need no pins: a block that a removed volume names and no living one goes at once. So
 * that this never takes a block of a volume that this node has not heard of, an asking node names *all* living volumes that it
 * knows to hold the block, and a node that does not know one of them gives no pin. Whoever has pinned a block thus knows the
 * volume for which it was placed, and so do those on whom its drop rests. A volume counts as known once its index is
 * durably here.
 *
 * Which ones are dropped, of those that may be: blocks that are not owned and not in use, once idle for `idleMs`; sooner, the least
 * recently used first, when space is short. A block that is owned or in use is never dropped, and a full node does not
 * fetch: what it owns then stays with those that have it.
 */
import type { BlockId, Root, VolumeIndex } from '../../blocks/types.ts';
import { MAX_PIN_IDS, MAX_PIN_ROOTS, type PinRequest } from './messages.ts';
import { shardOf } from './shards.ts';

export interface HeldBlock {
  id: BlockId;
  sizeBytes: number;
  /** By the wall clock. */
  lastUseMs: number;
}

/** A volume as its index lists it. */
export type VolumeBlocks = Pick<VolumeIndex, 'root' | 'blockCount' | 'blockId' | 'offset'>;

export interface Limits {
  /** Of all blocks here. */
  maxBytes: number;
  /** What is left free on the disk for others. */
  minFreeBytes: number;
  /** How long a block that is not owned and not used stays. */
  idleMs: number;
  /** For fetching what is owned. */
  fetchBytesPerSecond: number;
}

export interface Situation {
  /** By shard: 1 for those that this node owns, in its own view. */
  owned: Uint8Array;
  limits: Limits;
  usedBytes: number;
  freeBytes: number;
  /** By the wall clock. */
  nowMs: number;
  has(id: BlockId): boolean;
  isPinned(id: BlockId): boolean;
  /** A running container needs it here; so do metadata blocks of volumes that are mounted. */
  isInUse(id: BlockId): boolean;
  /** False for what others have refused lately: to pin it, or, where it is owned, to send it. */
  mayAsk(id: BlockId): boolean;
  /** See KnownVolumes. */
  isAwaited(root: Root): boolean;
}

export interface Wanted {
  id: BlockId;
  root: Root;
  sizeBytes: number;
  /** Somebody waits until it is kept: no rate bounds it. */
  isAwaited: boolean;
}

export interface Candidate {
  id: BlockId;
  roots: readonly Root[];
}

export interface Plan {
  /** Owned and here: to be pinned. */
  pin: readonly BlockId[];
  /** Owned and not here: to be fetched, as far as there is room. */
  fetch: readonly Wanted[];
  /** To be dropped, once the owners have pinned it. */
  ask: readonly Candidate[];
  /** Of volumes that were removed everywhere: to be dropped at once. */
  removed: readonly BlockId[];
}

const MAX_PINS = 1024;
const MAX_CANDIDATES = 1024;
const MAX_REMOVED = 4096;
const MAX_FETCHES = 2048;
/** A batch is what can be fetched in this time: then there is a new plan. */
const FETCH_BATCH_MS = 10_000;

/** Show it all blocks here, then all removed volumes, then all living ones; then ask for the plan. Its memory is bounded. */
export class Survey {
  readonly #situation: Situation;
  readonly #maxFetchBytes: number;
  readonly #oldest = new Oldest(MAX_CANDIDATES);
  #roots: Map<BlockId, Root[]> | undefined;
  readonly #pin = new Set<BlockId>();
  readonly #removed = new Set<BlockId>();
  readonly #fetch = new Map<BlockId, Wanted>();
  #fetchBytes = 0;
  /** Of them, what the rate bounds. */
  #ratedBytes = 0;

  constructor(situation: Situation) {
    this.#situation = situation;
    this.#maxFetchBytes = (situation.limits.fetchBytesPerSecond * FETCH_BATCH_MS) / 1000;
  }

  held(block: HeldBlock): void {
    const { owned, isInUse, mayAsk } = this.#situation;
    if (owned[shardOf(block.id)] || isInUse(block.id) || !mayAsk(block.id)) return;
    this.#oldest.offer(block);
  }

  removed(volume: VolumeBlocks): void {
    const { has, isInUse } = this.#situation;
    for (let i = 0; i < volume.blockCount && this.#removed.size < MAX_REMOVED; i++) {
      const id = volume.blockId(i);
      if (has(id) && !isInUse(id)) this.#removed.add(id);
    }
  }

  living(volume: VolumeBlocks): void {
    this.#roots ??= new Map(this.#oldest.sorted().map(({ id }) => [id, []]));
    for (let i = 0; i < volume.blockCount; i++) {
      const id = volume.blockId(i);
      if (this.#removed.size > 0) this.#removed.delete(id);
      const roots = this.#roots.size > 0 ? this.#roots.get(id) : undefined;
      if (roots && roots.at(-1) !== volume.root) roots.push(volume.root);
      if (this.#situation.owned[shardOf(id)]) this.#own(id, volume, i);
    }
  }

  #own(id: BlockId, volume: VolumeBlocks, i: number): void {
    const { has, isPinned, mayAsk } = this.#situation;
    if (has(id)) {
      if (this.#pin.size < MAX_PINS && !isPinned(id)) this.#pin.add(id);
      return;
    }
    const isAwaited = this.#situation.isAwaited(volume.root);
    if (this.#fetch.size >= MAX_FETCHES) return;
    if (!isAwaited && this.#ratedBytes >= this.#maxFetchBytes) return;
    if (this.#fetch.has(id) || !mayAsk(id)) return;
    const sizeBytes = volume.offset(i + 1) - volume.offset(i);
    this.#fetch.set(id, { id, root: volume.root, sizeBytes, isAwaited });
    this.#fetchBytes += sizeBytes;
    if (!isAwaited) this.#ratedBytes += sizeBytes;
  }

  plan(): Plan {
    const { limits, usedBytes, freeBytes } = this.#situation;
    const roomBytes = Math.min(limits.maxBytes - usedBytes, freeBytes - limits.minFreeBytes);
    return {
      pin: [...this.#pin],
      fetch: this.#fitting(roomBytes),
      ask: this.#droppable(this.#fetchBytes - roomBytes),
      removed: [...this.#removed],
    };
  }

  #fitting(roomBytes: number): Wanted[] {
    let bytes = 0;
    return [...this.#fetch.values()].filter(({ sizeBytes }) => {
      bytes += sizeBytes;
      return bytes <= roomBytes;
    });
  }

  #droppable(shortBytes: number): Candidate[] {
    const { limits, nowMs } = this.#situation;
    const candidates: Candidate[] = [];
    let bytes = 0;
    for (const { id, sizeBytes, lastUseMs } of this.#oldest.sorted()) {
      const roots = this.#roots?.get(id) ?? [];
      if (roots.length < 1 || roots.length > MAX_PIN_ROOTS) continue;
      if (nowMs - lastUseMs < limits.idleMs && bytes >= shortBytes) continue;
      candidates.push({ id, roots });
      bytes += sizeBytes;
    }
    return candidates;
  }
}

/** Keeps the `max` least recently used of what it is offered. */
class Oldest {
  readonly #max: number;
  #blocks: HeldBlock[] = [];

  constructor(max: number) {
    this.#max = max;
  }

  offer(block: HeldBlock): void {
    this.#blocks.push(block);
    if (this.#blocks.length >= 2 * this.#max) this.#blocks = this.sorted();
  }

  sorted(): HeldBlock[] {
    return this.#blocks.sort((a, b) => a.lastUseMs - b.lastUseMs).slice(0, this.#max);
  }
}

/** A question to one owner, and what it is asked for, in the order of its ids. */
export interface Ask<T extends Candidate> {
  owner: string;
  request: PinRequest;
  candidates: readonly T[];
}

/** The questions to all owners of these blocks: together what concerns the same volumes, in messages of bounded size. */
export function asksFor<T extends Candidate>(
  candidates: readonly T[],
  ownersOf: (shard: number) => readonly string[],
): Ask<T>[] {
  const groups = new Map<string, { owner: string; candidates: T[] }>();
  for (const candidate of candidates) {
    const volumes = candidate.roots.join();
    for (const owner of ownersOf(shardOf(candidate.id))) {
      const key = `${owner} ${volumes}`;
      const group = groups.get(key) ?? { owner, candidates: [] };
      group.candidates.push(candidate);
      groups.set(key, group);
    }
  }
  const asks: Ask<T>[] = [];
  for (const group of groups.values()) {
    for (let at = 0; at < group.candidates.length; at += MAX_PIN_IDS) {
      const some = group.candidates.slice(at, at + MAX_PIN_IDS);
      const request = { roots: some[0]!.roots, ids: some.map(({ id }) => id) };
      asks.push({ owner: group.owner, request, candidates: some });
    }
  }
  return asks;
}
