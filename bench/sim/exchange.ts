/**
 * Brings blocks and asks owners over the simulated network. Who is asked for which block is planned by the real scheduler
 * (peers/scheduler.ts) over the real book of wants (peers/wants.ts); what is here, as peers/task.ts does it over real connections, is to run the calls.
 *
 * A node asks those that it believes alive: owners of the block and makers of its volume first, then some others by chance, in
 * the next round some more (a node of a large cluster does not hold connections to all). Whoever sends a wrong block is asked last for a while; a
 * late demand is asked of one more; a block that nobody has is parked, ever longer.
 */
import type { BlockId, Root } from '../../blocks/types.ts';
import type { PinAnswer, PinRequest } from '../../peers/placement/messages.ts';
import { shardOf } from '../../peers/placement/shards.ts';
import { Timers } from '../../peers/placement/timers.ts';
import { type Chance, PRIORITIES, plan } from '../../peers/scheduler.ts';
import type { Priority } from '../../peers/types.ts';
import { type Waiter, type Want, Wants } from '../../peers/wants.ts';
import { BlockCall, type BlockWant, type SimLink } from './block-call.ts';
import { call } from './calls.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

const NAME_BYTES = 32;
const ASK_TIMEOUT_MS = 10_000;
/** A real node waits longer: what nobody has is asked for again and again meanwhile, which would be most of what a run does. */
const WAIT_MS = 20_000;
const PARK_MIN_MS = 500;
const PARK_MAX_MS = 5000;
/** Those that are parked are looked at so often: what one node asks again goes out together. */
const TICK_MS = 500;
const ASKED_AT_ONCE = 2;
const PENALTY_MS = 10_000;
/** Others than owners and makers that are asked in one round. */
const STRANGERS = 6;
const EXPECTED_BLOCK_BYTES = 128 * 1024;

export type Purpose = 'demand' | 'repair';

/** Repair goes behind everything else. */
const PRIORITY: Record<Purpose, Priority> = { demand: 'demand', repair: PRIORITIES.at(-1)! };

export class Exchange {
  readonly #world: World;
  readonly #node: SimNode;
  readonly #timers: Timers;
  readonly #wants = new Wants<BlockCall, SimLink>();
  readonly #links = new Map<SimNode, SimLink>();
  readonly #calls = new Set<BlockCall>();
  /** Who is asked for it in this round. */
  readonly #candidates = new WeakMap<BlockWant, { known: Set<SimLink>; others: Set<SimLink> }>();
  #isPlanning = false;

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
    this.#timers = new Timers(node.clock);
  }

  stop(): void {
    this.#timers.stop();
    for (const asked of this.#calls) asked.abandon();
  }

  async ask(owner: string, request: PinRequest): Promise<readonly PinAnswer[]> {
    const { sabotage, counts } = this.#world;
    if (sabotage === 'pins are invented') return request.ids.map(() => 'kept');
    counts.asks++;
    counts.askedBlocks += request.ids.length;
    const to = this.#world.node(owner);
    return call(this.#world, {
      from: this.#node,
      to,
      requestBytes: NAME_BYTES * (request.roots.length + request.ids.length),
      timeoutMs: ASK_TIMEOUT_MS,
      serve: async () => ({ value: await this.#answer(to, request), bytes: request.ids.length }),
    });
  }

  async #answer(to: SimNode, request: PinRequest): Promise<readonly PinAnswer[]> {
    if (this.#world.sabotage === 'whoever has a block confirms it') {
      return request.ids.map((id) => (to.disk.has(id) ? 'kept' : 'absent'));
    }
    return to.process!.custodian.answer(request);
  }

  /** Resolves once the block is on the disk, not yet synced. Requests for one block are merged. */
  async fetch(id: BlockId, purpose: Purpose, root: Root): Promise<void> {
    if (this.#node.disk.has(id)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { priority: PRIORITY[purpose], resolve, reject };
    const want = this.#wants.join(id, waiter, this.#node.clock.now());
    want.root ??= root;
    const cancel = this.#timers.after(WAIT_MS, () => {
      if (this.#wants.leave(want, waiter, this.#node.clock.now())) this.#drop(want);
      reject(new Error(`nobody sends block ${id}`));
    });
    this.#planSoon();
    await promise.finally(cancel);
  }

  #drop(want: BlockWant): void {
    for (const asked of want.asking) asked.drop(want);
    want.asking.clear();
  }

  #planSoon(): void {
    if (this.#isPlanning) return;
    this.#isPlanning = true;
    queueMicrotask(() => {
      this.#isPlanning = false;
      this.#plan();
    });
  }

  #plan(): void {
    if (this.#wants.size === 0) return;
    const nowMs = this.#node.clock.now();
    const demand = [...this.#late(nowMs), ...this.#wants.ready.demand];
    const ready = { ...this.#wants.ready, demand };
    const sources = new Set<SimLink>();
    for (const priority of PRIORITIES) {
      for (const want of ready[priority]) for (const link of this.#asked(want)) sources.add(link);
    }
    for (const link of sources) link.penalized = link.penalizedUntilMs > nowMs;
    const requests = plan<BlockWant, SimLink>({
      wanted: ready,
      sources: [...sources],
      chance: (want, link) => this.#chance(want, link),
      blockBytes: EXPECTED_BLOCK_BYTES,
    });
    for (const { source, priority, wants } of requests) this.#start(source, priority, wants);
    this.#parkHopeless(ready);
  }

  /** Demanded blocks that ought to be here by now, and may be asked of one more. */
  *#late(nowMs: number): Iterable<BlockWant> {
    for (const { pending } of this.#calls) {
      for (const want of pending.values()) {
        if (want.priority !== 'demand' || want.asking.size >= ASKED_AT_ONCE) continue;
        if ([...want.asking].every((asked) => asked.isLate(nowMs))) yield want;
      }
    }
  }

  *#asked(want: BlockWant): Iterable<SimLink> {
    let candidates = this.#candidates.get(want);
    if (!candidates) {
      const { members } = this.#node;
      const known = [...members.owners.of(shardOf(want.id)), ...this.#node.makersOf(want.root!)]
        .map((name) => this.#world.node(name))
        .filter((member) => members.isAlive(member));
      const others = members.someAlive(STRANGERS);
      const links = (nodes: SimNode[]) => new Set(nodes.map((member) => this.#link(member)));
      candidates = { known: links(known), others: links(others) };
      this.#candidates.set(want, candidates);
    }
    yield* candidates.known;
    yield* candidates.others;
  }

  #link(to: SimNode): SimLink {
    const known = this.#links.get(to);
    if (known) return known;
    const { port } = this.#node;
    const link: SimLink = {
      node: to,
      rttMs: 2 * this.#world.network.latencyMs(port, to.port),
      bytesPerSecond: Math.min(port.downBytesPerSecond, to.port.upBytesPerSecond),
      inFlight: { demand: 0, background: 0 },
      calls: 0,
      penalized: false,
      penalizedUntilMs: 0,
    };
    this.#links.set(to, link);
    return link;
  }

  #chance(want: BlockWant, link: SimLink): Chance {
    if (want.refusedBy.has(link) || !this.#node.members.isAlive(link.node)) return 'no';
    for (const asked of want.asking) if (asked.link === link) return 'no';
    const { known, others } = this.#candidates.get(want)!;
    if (known.has(link)) return 'has';
    return others.has(link) ? 'maybe' : 'no';
  }

  #start(link: SimLink, priority: Priority, wants: readonly BlockWant[]): void {
    const asked = new BlockCall(this.#world, this.#node, link, priority === 'demand', wants, this.#timers, {
      block: (from, want, bytes) => void this.#arrived(from, want, bytes),
      missing: (from, want) => this.#refused(from, want),
      late: () => this.#planSoon(),
      ended: (from) => this.#ended(from),
    });
    this.#calls.add(asked);
    for (const want of wants) {
      want.asking.add(asked);
      this.#wants.move(want, { kind: 'asked' });
    }
    asked.run();
  }

  async #arrived(from: BlockCall, want: BlockWant, bytes: Uint8Array): Promise<void> {
    want.asking.delete(from);
    this.#drop(want);
    this.#wants.move(want, { kind: 'storing' });
    const { counts } = this.#world;
    try {
      await this.#node.disk.put(want.id, bytes);
      const count = counts[want.priority === 'demand' ? 'demand' : 'repair'];
      count.blocks++;
      count.bytes += bytes.length;
      this.#wants.remove(want);
      for (const waiter of want.waiters) waiter.resolve();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        this.#wants.remove(want);
        for (const waiter of want.waiters) waiter.reject(error as Error);
      } else {
        from.link.penalizedUntilMs = this.#node.clock.now() + PENALTY_MS;
        this.#refused(from, want);
      }
    }
    this.#planSoon();
  }

  #refused(from: BlockCall, want: BlockWant): void {
    want.refusedBy.add(from.link);
    this.#again(from, want);
  }

  #ended(from: BlockCall): void {
    this.#calls.delete(from);
    for (const want of from.pending.values()) this.#refused(from, want);
    this.#planSoon();
  }

  #again(from: BlockCall, want: BlockWant): void {
    want.asking.delete(from);
    if (want.waiters.size === 0) this.#wants.remove(want);
    else if (want.asking.size === 0) this.#wants.move(want, { kind: 'ready' });
    this.#planSoon();
  }

  /** Those that all have refused wait, and are then asked of others. */
  #parkHopeless(ready: Record<Priority, Iterable<BlockWant>>): void {
    for (const priority of PRIORITIES) {
      for (const want of [...ready[priority]]) if (this.#isHopeless(want)) this.#park(want);
    }
  }

  #isHopeless(want: BlockWant): boolean {
    if (want.state.kind !== 'ready') return false;
    for (const link of this.#asked(want)) if (this.#chance(want, link) !== 'no') return false;
    return true;
  }

  #park(want: Want<BlockCall, SimLink>): void {
    const delayMs = Math.min(PARK_MIN_MS * 2 ** want.rounds++, PARK_MAX_MS);
    const nowMs = this.#node.clock.now();
    const untilMs = Math.ceil((nowMs + delayMs) / TICK_MS) * TICK_MS;
    this.#wants.move(want, { kind: 'parked', untilMs });
    this.#timers.after(untilMs - nowMs, () => {
      if (want.state.kind !== 'parked') return;
      want.refusedBy.clear();
      this.#candidates.delete(want);
      this.#wants.move(want, { kind: 'ready' });
      this.#planSoon();
    });
  }
}
