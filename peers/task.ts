/**
 * The paper's Task: has wanted blocks fetched. Asks the scheduler for a plan whenever something has changed, runs the calls,
 * and moves the wants: a block that comes is checked and stored by the block store, and its waiters are told; one that
 * does not come is asked of somebody else, and waits when there is nobody.
 *
 * A neighbour that is late costs a second question to another one (a hedge); one that sends a wrong block is named in
 * the log and asked last for a while; one that is silent is left to its link, which finds out whether it is gone.
 */
import { CorruptBlockError } from '../blocks/block.ts';
import type { BlockId, BlockStore, Root } from '../blocks/types.ts';
import { failureOf } from './exchange/client.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import { type Chance, plan, type Source } from './scheduler.ts';
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
/** Asking for one block at the same time: the first neighbour and one hedge. */
const ASKED_AT_ONCE = 2;
const PARK_MIN_MS = 500;
const PARK_MAX_MS = 5000;
const BUSY_MS = 200;
const FIRST_GUESS_BLOCK_BYTES = 128 * 1024;

export interface TaskOptions {
  links: readonly Link[];
  blocks: BlockStore;
  holders: Holders;
  /** How long a want waits before it is rejected. */
  waitMs: number;
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
  #planning = false;
  #ticker: NodeJS.Timeout | undefined;
  #blockBytes = FIRST_GUESS_BLOCK_BYTES;
  #fetchedBytes = 0;

  constructor(options: TaskOptions) {
    this.#options = options;
  }

  /** Bytes of blocks received so far. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** See `Neighbours.want`. */
  async want(id: BlockId, priority: Priority, signal?: AbortSignal, root?: Root): Promise<void> {
    signal?.throwIfAborted();
    if (this.#options.blocks.has(id)) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiter: Waiter = { priority, resolve, reject };
    const want = this.#wants.join(id, waiter, performance.now());
    want.root ??= root;
    const leave = (error: Error) => {
      this.#leave(want, waiter);
      reject(error);
    };
    const { waitMs } = this.#options;
    const timer = setTimeout(() => leave(new NotFetchedError(id, waitMs, this.#why(want))), waitMs);
    const onAbort = () => leave(signal!.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#planSoon();
    try {
      await promise;
    } finally {
      clearTimeout(timer);
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

  stop(error: Error): void {
    for (const want of [...this.#wants.all()]) {
      for (const waiter of want.waiters) waiter.reject(error);
      this.#forget(want);
    }
    clearInterval(this.#ticker);
    this.#ticker = undefined;
  }

  #leave(want: BlockWant, waiter: Waiter): void {
    if (this.#wants.leave(want, waiter, performance.now())) this.#drop(want);
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
    setImmediate(() => {
      this.#planning = false;
      this.#plan();
    });
  }

  #plan(): void {
    const nowMs = performance.now();
    const requests = plan<BlockWant, LinkSource>({
      wanted: { ...this.#wants.ready, demand: [...this.#late(nowMs), ...this.#wants.ready.demand] },
      sources: this.#sources(nowMs),
      chance: (want, { link }) => this.#chance(want, link),
      blockBytes: this.#blockBytes,
    });
    for (const { source, priority, wants } of requests) this.#start(source.link, priority, wants);
    if (this.#wants.size === 0) {
      clearInterval(this.#ticker);
      this.#ticker = undefined;
    } else {
      this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
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
        penalized: link.penalizedUntilMs > nowMs,
      }));
  }

  #chance(want: BlockWant, link: Link): Chance {
    if (want.refusedBy.has(link)) return 'no';
    for (const transfer of want.asking) if (transfer.link === link) return 'no';
    return this.#options.holders.of(want.root, link.name) ? 'has' : 'maybe';
  }

  /** Demanded blocks that ought to be here by now, and may be asked of one more neighbour. */
  *#late(nowMs: number): Iterable<BlockWant> {
    for (const transfer of this.#transfers) {
      for (const want of transfer.pending.values()) {
        if (want.priority !== 'demand' || want.asking.size >= ASKED_AT_ONCE) continue;
        if (transfer.isLate(want, nowMs)) yield want;
      }
    }
  }

  #start(link: Link, priority: Priority, wants: readonly BlockWant[]): void {
    const { client } = link;
    if (!client) return;
    const transfer = new Transfer(link, client, priority, wants, this.#blockBytes, {
      block: (from, want, bytes) => this.#arrived(from, want, bytes),
      missing: (from, want) => this.#refused(from, want),
    });
    this.#transfers.add(transfer);
    for (const want of wants) {
      want.asking.add(transfer);
      this.#wants.move(want, { kind: 'asked' });
    }
    transfer
      .run()
      .catch((error: unknown) => this.#failed(transfer, error as Error))
      .finally(() => {
        this.#transfers.delete(transfer);
        for (const want of transfer.pending.values()) this.#again(transfer, want);
        this.#planSoon();
      });
  }

  #arrived(from: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void> {
    this.#fetchedBytes += bytes.length;
    this.#blockBytes += (bytes.length - this.#blockBytes) / 64;
    want.asking.delete(from);
    this.#drop(want);
    this.#wants.move(want, { kind: 'storing' });
    return this.#store(from, want, bytes).finally(() => this.#planSoon());
  }

  /** Never rejects: a failure goes to the waiters, or to somebody else's turn. */
  async #store(from: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void> {
    try {
      await this.#options.blocks.put(want.id, bytes);
      this.#wants.remove(want);
      for (const waiter of want.waiters) waiter.resolve();
    } catch (error) {
      if (error instanceof CorruptBlockError) {
        from.link.blame(error.message);
        this.#refused(from, want);
        return;
      }
      this.#wants.remove(want);
      for (const waiter of want.waiters) waiter.reject(error as Error);
    }
  }

  /** Not to be had from this neighbour: the next one is asked, or the want waits when all have said so. */
  #refused(from: Transfer, want: BlockWant): void {
    want.refusedBy.add(from.link);
    this.#again(from, want);
  }

  #again(from: Transfer, want: BlockWant): void {
    want.asking.delete(from);
    if (want.waiters.size === 0) this.#wants.remove(want);
    else if (want.asking.size === 0) this.#wants.move(want, this.#nextState(want));
    this.#planSoon();
  }

  #nextState(want: BlockWant): BlockWant['state'] {
    const up = this.#options.links.filter((link) => link.state.kind === 'up');
    if (up.length === 0 || up.some((link) => !want.refusedBy.has(link))) return { kind: 'ready' };
    want.refusedBy.clear();
    const backoffMs = Math.min(PARK_MIN_MS * 2 ** want.rounds++, PARK_MAX_MS);
    return { kind: 'parked', untilMs: performance.now() + backoffMs };
  }

  #failed(transfer: Transfer, error: Error): void {
    const { link } = transfer;
    for (const want of transfer.pending.values()) want.refusedBy.add(link);
    switch (failureOf(error)) {
      case 'gone':
        transfer.reportLost(error.message);
        break;
      case 'busy':
        link.busyUntilMs = performance.now() + BUSY_MS;
        break;
      case 'faulty':
        link.blame(error.message);
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    for (const want of this.#wants.all()) {
      const { state } = want;
      if (state.kind === 'parked' && state.untilMs <= nowMs) this.#wants.move(want, { kind: 'ready' });
    }
    for (const transfer of this.#transfers) {
      const isLate = transfer.isStalled(nowMs);
      if (isLate) {
        this.#options.log.debug(
          { peer: transfer.link.name, blocks: transfer.pending.size },
          'a call stands still',
        );
        transfer.cancel();
      }
      const [first] = transfer.pending.values();
      if (isLate || (first && transfer.isLate(first, nowMs))) transfer.link.suspect();
    }
    this.#planSoon();
  }

  #why(want: BlockWant): string {
    const up = this.#options.links.filter((link) => link.state.kind === 'up');
    if (up.length === 0) return 'no neighbour answers';
    const names = up.map(({ name }) => name).join(', ');
    return want.state.kind === 'parked' ? `none of ${names} has it` : `asked of ${names}`;
  }
}
