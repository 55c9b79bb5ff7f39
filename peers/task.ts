/**
 * The paper's Task: has wanted blocks fetched. Asks the scheduler for a plan whenever something has changed, runs the calls,
 * and moves the wants: a block that comes is checked and stored by the block store, and its waiters are told; one that
 * does not come is asked of somebody else, and waits when there is nobody.
 *
 * A demand that is late costs a second question to another neighbour (a hedge), within a budget; a neighbour that sends a wrong block is named in
 * the log and asked last for a while; one that is silent is left to its link, which finds out whether it is gone; one that is there
 * but stands still is given a rest.
 *
 * Where blocks have owners, what is not demanded is asked of those first (scheduler-owners.ts), and passed on as it arrives (`arriving`).
 */
import { CorruptBlockError } from '../blocks/block.ts';
import type { BlockId, BlockStore, Root } from '../blocks/types.ts';
import { type Clock, every } from './clock.ts';
import { failureOf } from './exchange/client.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import { Meter } from './meter.ts';
import { type Chance, plan, type Request, type Source } from './scheduler.ts';
import { Arrivals } from './task-arrivals.ts';
import { Hedging } from './task-hedge.ts';
import { type Placed, Placing } from './task-placing.ts';
import { Standing } from './task-standing.ts';
import { type BlockWant, Transfer } from './transfer.ts';
import type { Log, Priority } from './types.ts';
import { type Waiter, Wants } from './wants.ts';

/** The block did not come within the configured bound. */
export class NotFetchedError extends Error {
  constructor(id: BlockId, waitMs: number, why: string) {
    super(`block ${id} did not come within ${waitMs / 1000} s: ${why}`);
    this.name = 'NotFetchedError';
  }
}

const TICK_MS = 50;
/** While somebody waits on a demand. */
const LATE_TICK_MS = 5;
/** Asking for one block at the same time: the first neighbour and one hedge. */
const ASKED_AT_ONCE = 2;
const PARK_MIN_MS = 500;
const PARK_MAX_MS = 5000;
const BUSY_MS = 200;
/**
 * What this node's own link can do is forgotten slowly. In a swarm blocks are late because others are still getting them; a rate that
 * follows that down makes the window over all sources smaller, and so the next blocks later still.
 */
const WHOLE_HALF_LIFE_MS = 5000;
const FIRST_GUESS_BLOCK_BYTES = 128 * 1024;

export interface TaskOptions {
  links: readonly Link[];
  blocks: BlockStore;
  holders: Holders;
  /** How long a want waits before it is rejected. */
  waitMs: number;
  /** Who owns which block; absent: nobody is waited for. */
  placement?: Placed;
  clock: Clock;
  log: Log;
}

/** A link as the scheduler sees it. */
interface LinkSource extends Source {
  link: Link;
}

export class Task {
  readonly #options: TaskOptions;
  readonly #wants = new Wants<Transfer, Link>();
  readonly #transfers = new Set<Transfer>();
  readonly #standings = new WeakMap<Link, Standing>();
  readonly #hedging = new Hedging();
  readonly #arrivals = new Arrivals();
  readonly #placing: Placing | undefined;
  /** Wants that somebody has waited on with `demand`, as long as any does. */
  readonly #demanded = new Set<BlockWant>();
  #planning = false;
  /** They end the tickers; undefined: not ticking. */
  #endTicks: (() => void) | undefined;
  #endLateTicks: (() => void) | undefined;
  #blockBytes = FIRST_GUESS_BLOCK_BYTES;
  #fetchedBytes = 0;
  /** Of all neighbours together: what this node's own link brings. */
  readonly #meter = new Meter(WHOLE_HALF_LIFE_MS);

  constructor(options: TaskOptions) {
    this.#options = options;
    this.#placing = options.placement && new Placing(options.placement, options.holders);
  }

  /** Bytes of blocks received so far. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** As `want`, and rejects as soon as nobody who answers has the block. */
  async wantNow(id: BlockId, priority: Priority, signal?: AbortSignal, root?: Root): Promise<void> {
    if (!this.#options.blocks.has(id) && this.#up().length === 0) throw new Error('no neighbour answers');
    return this.want(id, priority, signal, root, true);
  }

  /** See `Neighbours.want`. */
  async want(
    id: BlockId,
    priority: Priority,
    signal?: AbortSignal,
    root?: Root,
    isImpatient = false,
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.#options.blocks.has(id)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { priority, resolve, reject, isImpatient };
    const want = this.#wants.join(id, waiter, this.#nowMs);
    want.root ??= root;
    if (priority === 'demand') this.#demand(want);
    const leave = (error: Error) => {
      this.#leave(want, waiter);
      reject(error);
    };
    const { waitMs, clock } = this.#options;
    const late = () => leave(new NotFetchedError(id, waitMs, this.#why(want)));
    const cancelTimer = clock.after(waitMs, late, true);
    const onAbort = () => leave(signal!.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#planSoon();
    try {
      await promise;
    } finally {
      cancelTimer();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** A neighbour has come or gone: whatever has nobody to ask is asked again. */
  membershipChanged(): void {
    for (const transfer of this.#transfers) if (transfer.isOrphaned) transfer.cancel();
    for (const want of this.#wants.all()) {
      want.refusedBy.clear();
      if (want.state.kind === 'parked') this.#wants.move(want, { kind: 'ready' });
    }
    this.#planSoon();
  }

  /** See `Arriving` of the block server: for a block that is wanted here, or owned here and soon to be wanted. */
  arriving(id: BlockId, then: () => void): (() => void) | undefined {
    if (this.#options.blocks.has(id)) return undefined;
    const want = this.#wants.get(id);
    const isComing = want
      ? want.state.kind !== 'parked'
      : this.#wants.size > 0 && (this.#placing?.isOwn(id) ?? false);
    return isComing ? this.#arrivals.watch(id, then) : undefined;
  }

  stop(error: Error): void {
    for (const want of [...this.#wants.all()]) {
      for (const waiter of want.waiters) waiter.reject(error);
      this.#forget(want);
    }
    this.#endTicks?.();
    this.#endTicks = undefined;
    this.#endLateTicks?.();
    this.#endLateTicks = undefined;
    this.#demanded.clear();
  }

  get #nowMs(): number {
    return this.#options.clock.now();
  }

  #demand(want: BlockWant): void {
    this.#hedging.budget.earn();
    this.#demanded.add(want);
    this.#endLateTicks ??= every(this.#options.clock, LATE_TICK_MS, () => this.#lateTick());
  }

  #leave(want: BlockWant, waiter: Waiter): void {
    if (!this.#wants.leave(want, waiter, this.#nowMs)) return;
    this.#drop(want);
    this.#arrivals.ended(want.id);
  }

  /** Out of the book, and out of every call that is under way. */
  #forget(want: BlockWant): void {
    this.#wants.remove(want);
    this.#drop(want);
  }

  #drop(want: BlockWant): void {
    for (const transfer of want.asking) transfer.drop(want);
    want.asking.clear();
  }

  #planSoon(): void {
    if (this.#planning) return;
    this.#planning = true;
    this.#options.clock.soon(() => {
      this.#planning = false;
      this.#plan();
    });
  }

  #plan(): void {
    const nowMs = this.#nowMs;
    const chance = this.#chances(nowMs);
    const requests = plan<BlockWant, LinkSource>({
      wanted: { ...this.#wants.ready, demand: [...this.#late(nowMs), ...this.#wants.ready.demand] },
      sources: this.#sources(nowMs),
      chance: (want, { link }) => chance(want, link),
      blockBytes: this.#blockBytes,
      bytesPerSecond: this.#meter.assumedBytesPerSecond,
    });
    for (const request of requests) this.#start(request);
    if (this.#wants.size === 0) {
      this.#endTicks?.();
      this.#endTicks = undefined;
    } else {
      this.#endTicks ??= every(this.#options.clock, TICK_MS, () => this.#tick());
    }
  }

  #sources(nowMs: number): LinkSource[] {
    return this.#options.links
      .filter((link) => link.state.kind === 'up' && link.busyUntilMs <= nowMs)
      .map((link) => ({
        link,
        rttMs: link.meter.assumedRttMs,
        bytesPerSecond: link.meter.assumedBytesPerSecond,
        inFlight: link.inFlight,
        calls: link.calls,
        penalized: link.penalizedUntilMs > nowMs || this.#isSlack(link, nowMs),
        demandMs: this.#standing(link).demandMs(nowMs),
      }));
  }

  /** Others are asked as long as there are others. */
  #isSlack(link: Link, nowMs: number): boolean {
    return link.isDoubtful || this.#standing(link).isSlack(nowMs);
  }

  #standing(link: Link): Standing {
    const known = this.#standings.get(link);
    if (known) return known;
    const standing = new Standing();
    this.#standings.set(link, standing);
    return standing;
  }

  /** What each neighbour is worth to each want, as of now. */
  #chances(nowMs: number): (want: BlockWant, link: Link) => Chance {
    const up = this.#up();
    const isSlack = (link: Link) => this.#isSlack(link, nowMs);
    const placed = this.#placing?.among(up, isSlack);
    const brisk = up.filter((link) => !isSlack(link));
    return (want, link) => {
      if (want.refusedBy.has(link)) return 'no';
      for (const transfer of want.asking) if (transfer.link === link) return 'no';
      if (want.priority !== 'demand' && isSlack(link) && brisk.some((other) => !want.refusedBy.has(other)))
        return 'no';
      return placed?.(want, link) ?? (this.#options.holders.of(want.root, link.name) ? 'has' : 'maybe');
    };
  }

  /** Demanded blocks that ought to be here by now, and may be asked of one more neighbour. */
  #late(nowMs: number): BlockWant[] {
    const { bounds, budget } = this.#hedging;
    const late: BlockWant[] = [];
    for (const want of this.#demanded) {
      if (late.length >= budget.allowed) break;
      if (want.state.kind !== 'asked' || want.asking.size >= ASKED_AT_ONCE) continue;
      for (const transfer of want.asking) if (transfer.isLate(want, nowMs, bounds)) late.push(want);
    }
    return late;
  }

  #lateTick(): void {
    for (const want of this.#demanded)
      if (want.priority !== 'demand' || want.waiters.size === 0) this.#demanded.delete(want);
    if (this.#demanded.size === 0) {
      this.#endLateTicks?.();
      this.#endLateTicks = undefined;
    } else if (this.#late(this.#nowMs).length > 0) this.#planSoon();
  }

  #start({ source, priority, mayWait, wants }: Request<BlockWant, LinkSource>): void {
    const { link } = source;
    const { client } = link;
    if (!client) return;
    const transfer = new Transfer(
      { priority, mayWait, wants },
      {
        link,
        client,
        standing: this.#standing(link),
        hedging: this.#hedging,
        clock: this.#options.clock,
        blockBytes: this.#blockBytes,
        handler: {
          block: (from, want, bytes) => this.#arrived(from, want, bytes),
          missing: (from, want) => this.#refused(from, want),
        },
      },
    );
    this.#transfers.add(transfer);
    for (const want of wants) {
      if (want.asking.size > 0) this.#hedging.budget.spend();
      want.asking.add(transfer);
      this.#wants.move(want, { kind: 'asked' });
    }
    transfer
      .run()
      .catch((error: unknown) => this.#failed(transfer, error as Error))
      .finally(() => {
        this.#transfers.delete(transfer);
        if (this.#transfers.size === 0) this.#meter.idle();
        for (const want of transfer.pending.values()) this.#again(transfer, want);
        this.#planSoon();
      });
  }

  #arrived(from: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void> {
    const nowMs = this.#nowMs;
    this.#fetchedBytes += bytes.length;
    this.#meter.arrived(bytes.length, nowMs);
    this.#blockBytes += (bytes.length - this.#blockBytes) / 64;
    want.asking.delete(from);
    if (want.priority === 'demand') {
      // The one that was asked first was beaten; one that was asked later was just too late.
      for (const { startedMs, standing } of want.asking)
        if (startedMs < from.startedMs) standing.beaten(nowMs - startedMs, nowMs);
    }
    this.#drop(want);
    this.#wants.move(want, { kind: 'storing' });
    return this.#store(from, want, bytes).finally(() => this.#planSoon());
  }

  /** Never rejects: a failure goes to the waiters, or to somebody else's turn. */
  async #store(from: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.blocks.put(want.id, bytes);
      this.#wants.remove(want);
      this.#demanded.delete(want);
      for (const waiter of want.waiters) waiter.resolve();
      this.#arrivals.ended(want.id);
    } catch (error) {
      if (error instanceof CorruptBlockError) {
        from.link.blame(error.message);
        this.#refused(from, want);
        return;
      }
      this.#wants.remove(want);
      for (const waiter of want.waiters) waiter.reject(error as Error);
      this.#arrivals.ended(want.id);
    }
  }

  /** Not to be had from this neighbour: the next one is asked, or the want waits when all have said so. */
  #refused(from: Transfer, want: BlockWant): void {
    this.#options.holders.lacks(want.root, from.link.name);
    want.refusedBy.add(from.link);
    this.#again(from, want);
  }

  #again(from: Transfer, want: BlockWant): void {
    want.asking.delete(from);
    if (want.asking.size === 0) {
      const up = this.#up();
      const isNowhere = up.every((link) => want.refusedBy.has(link));
      if (isNowhere) this.#disappoint(want);
      if (want.waiters.size > 0)
        this.#wants.move(want, isNowhere && up.length > 0 ? this.#parked(want) : { kind: 'ready' });
    }
    if (want.waiters.size === 0) this.#wants.remove(want);
    this.#planSoon();
  }

  #up(): Link[] {
    return this.#options.links.filter((link) => link.state.kind === 'up');
  }

  #disappoint(want: BlockWant): void {
    for (const waiter of want.waiters) {
      if (!waiter.isImpatient) continue;
      want.waiters.delete(waiter);
      waiter.reject(new Error(`nobody who answers has block ${want.id}`));
    }
  }

  /** All that can be asked have said no: they are asked again after a while. */
  #parked(want: BlockWant): BlockWant['state'] {
    want.refusedBy.clear();
    const backoffMs = Math.min(PARK_MIN_MS * 2 ** want.rounds++, PARK_MAX_MS);
    return { kind: 'parked', untilMs: this.#nowMs + backoffMs };
  }

  #failed(transfer: Transfer, error: Error): void {
    const { link } = transfer;
    for (const want of transfer.pending.values()) want.refusedBy.add(link);
    switch (failureOf(error)) {
      case 'gone':
        transfer.reportLost(error.message);
        break;
      case 'busy':
        link.busyUntilMs = this.#nowMs + BUSY_MS;
        break;
      case 'faulty':
        link.blame(error.message);
    }
  }

  #tick(): void {
    const nowMs = this.#nowMs;
    for (const want of this.#wants.all()) {
      const { state } = want;
      if (state.kind === 'parked' && state.untilMs <= nowMs) this.#wants.move(want, { kind: 'ready' });
    }
    for (const transfer of this.#transfers) this.#watch(transfer, nowMs);
    this.#planSoon();
  }

  #watch(transfer: Transfer, nowMs: number): void {
    const { link, standing } = transfer;
    if (transfer.isStalled(nowMs, !this.#hasOther(link))) {
      this.#options.log.debug({ peer: link.name, blocks: transfer.pending.size }, 'a call stands still');
      standing.slackened(nowMs);
      transfer.cancel();
    } else if (!transfer.isSilent(nowMs)) return;
    if (standing.suspect(nowMs)) link.suspect();
  }

  #hasOther(than: Link): boolean {
    return this.#options.links.some((link) => link !== than && link.state.kind === 'up');
  }

  #why(want: BlockWant): string {
    const up = this.#up();
    if (up.length === 0) return 'no neighbour answers';
    const names = up.map(({ name }) => name).join(', ');
    return want.state.kind === 'parked' ? `none of ${names} has it` : `asked of ${names}`;
  }
}
