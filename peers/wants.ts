/**
 * The book of blocks that are wanted: who waits for which, how urgently, and where each stands. No sockets and no clock of
 * its own; `task.ts` moves wants from state to state.
 *
 * Invariants (`checkInvariants`): a want is in the book exactly while somebody waits for it or it is being stored; it is in
 * the queue of its priority exactly while it is `ready`; its priority is the best of its waiters'.
 */
import type { BlockId, Root } from '../blocks/types.ts';
import { PRIORITIES } from './scheduler.ts';
import type { Priority } from './types.ts';

export type WantState =
  /** Waits for its turn. */
  | { kind: 'ready' }
  /** On the way from the holders of `asking`. */
  | { kind: 'asked' }
  /** Every neighbour that answers has said that it is not there: asked again then, or when a neighbour comes. */
  | { kind: 'parked'; untilMs: number }
  /** Its bytes are here and being written. */
  | { kind: 'storing' };

export interface Waiter {
  priority: Priority;
  resolve(): void;
  reject(error: Error): void;
  /** Does not wait for a neighbour to come that has it. */
  isImpatient?: boolean;
}

/** `A` is whatever is asked: a call under way. `S` is a neighbour. */
export class Want<A, S> {
  readonly id: BlockId;
  root: Root | undefined;
  priority: Priority;
  state: WantState = { kind: 'ready' };
  readonly waiters = new Set<Waiter>();
  readonly asking = new Set<A>();
  /** Neighbours that do not have it, as far as this round of asking goes. */
  readonly refusedBy = new Set<S>();
  /** Rounds in which nobody had it. */
  rounds = 0;
  /** Since when somebody has been waiting on it with `demand`. */
  demandSinceMs = 0;

  constructor(id: BlockId, priority: Priority) {
    this.id = id;
    this.priority = priority;
  }
}

export class Wants<A, S> {
  readonly #all = new Map<BlockId, Want<A, S>>();
  readonly #ready: Record<Priority, Set<Want<A, S>>> = {
    demand: new Set(),
    prefetch: new Set(),
    completion: new Set(),
    repair: new Set(),
  };

  get size(): number {
    return this.#all.size;
  }

  get(id: BlockId): Want<A, S> | undefined {
    return this.#all.get(id);
  }

  /** In the order of asking. */
  get ready(): Record<Priority, Iterable<Want<A, S>>> {
    return this.#ready;
  }

  all(): Iterable<Want<A, S>> {
    return this.#all.values();
  }

  /** Adds a waiter; lifts the want when this one is more urgent. */
  join(id: BlockId, waiter: Waiter, nowMs: number): Want<A, S> {
    let want = this.#all.get(id);
    if (!want) {
      want = new Want(id, waiter.priority);
      this.#all.set(id, want);
      this.#ready[want.priority].add(want);
    }
    want.waiters.add(waiter);
    this.#reconsider(want, nowMs);
    return want;
  }

  /** Takes a waiter away. True when nobody waits any more: the want is out of the book unless it is being stored. */
  leave(want: Want<A, S>, waiter: Waiter, nowMs: number): boolean {
    want.waiters.delete(waiter);
    if (want.waiters.size > 0) {
      this.#reconsider(want, nowMs);
      return false;
    }
    if (want.state.kind !== 'storing') this.remove(want);
    return true;
  }

  move(want: Want<A, S>, state: WantState): void {
    this.#ready[want.priority].delete(want);
    want.state = state;
    if (state.kind === 'ready') this.#ready[want.priority].add(want);
  }

  remove(want: Want<A, S>): void {
    this.#ready[want.priority].delete(want);
    if (this.#all.get(want.id) === want) this.#all.delete(want.id);
  }

  #reconsider(want: Want<A, S>, nowMs: number): void {
    const priorities = new Set([...want.waiters].map(({ priority }) => priority));
    const best = PRIORITIES.find((priority) => priorities.has(priority))!;
    if (best === 'demand' && (want.priority !== 'demand' || want.demandSinceMs === 0))
      want.demandSinceMs = nowMs;
    if (best === want.priority) return;
    this.#ready[want.priority].delete(want);
    want.priority = best;
    if (want.state.kind === 'ready') this.#ready[best].add(want);
  }

  /** For tests. Throws when the book is wrong. */
  checkInvariants(): void {
    const queued = PRIORITIES.flatMap((priority) =>
      [...this.#ready[priority]].map((want) => ({ priority, want })),
    );
    for (const { priority, want } of queued) {
      const fits =
        want.state.kind === 'ready' && want.priority === priority && this.#all.get(want.id) === want;
      if (!fits)
        throw new Error(`${want.id} (${want.state.kind}, ${want.priority}) is in the queue of ${priority}`);
    }
    for (const want of this.#all.values()) {
      if (want.waiters.size === 0 && want.state.kind !== 'storing')
        throw new Error(`nobody waits for ${want.id}`);
      const isQueued = queued.some((entry) => entry.want === want);
      if (isQueued !== (want.state.kind === 'ready'))
        throw new Error(`${want.id} is ${want.state.kind}, queued: ${isQueued}`);
    }
  }
}
