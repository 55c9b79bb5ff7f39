/** One call for blocks under way from one neighbour, and what it tells the link and its standing while it runs. */
import type { BlockId } from '../blocks/types.ts';
import type { Clock } from './clock.ts';
import type { PeerClient } from './exchange/client.ts';
import type { Link } from './link.ts';
import type { Request } from './scheduler.ts';
import type { Hedging, LateBounds } from './task-hedge.ts';
import type { Standing } from './task-standing.ts';
import type { Priority } from './types.ts';
import type { Want } from './wants.ts';

export type BlockWant = Want<Transfer, Link>;

export interface TransferHandler {
  /** A block came; `bytes` may be looked at until the promise is settled. */
  block(transfer: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void>;
  /** The neighbour does not have it. */
  missing(transfer: Transfer, want: BlockWant): void;
}

/** What a transfer needs of its task and its neighbour. */
export interface TransferParts {
  link: Link;
  client: PeerClient;
  standing: Standing;
  hedging: Hedging;
  clock: Clock;
  /** Expected length of a block. */
  blockBytes: number;
  handler: TransferHandler;
}

const STALLED_FACTOR = 8;
/** A call without a byte for so long is given up: when others can be asked, when none can, and when the neighbour may hold its answer. */
const STALLED_MIN_MS = 750;
const STALLED_ALONE_MS = 2000;
const STALLED_WAITING_MS = 3000;
/** An answer `missing` that took so long was held for a block that did not come; that tells against a neighbour that has given nothing else meanwhile. */
const HELD_IN_VAIN_MS = 1000;
/** Silence for so long is looked into. */
const SILENT_MIN_MS = 200;
/** Of silence, how many round trips are no wonder. */
const SILENT_FACTOR = 4;
/** A demanded block that is under way with bulk may take so many times as long as one that is not. */
const BULK_FACTOR = 2;
/** No honest call takes longer: it asks for a fraction of a second's worth. */
const LONGEST_MS = 60_000;

export class Transfer {
  readonly link: Link;
  readonly priority: Priority;
  readonly mayWait: boolean;
  /** What was asked and has not been answered. */
  readonly pending = new Map<BlockId, BlockWant>();
  readonly startedMs: number;
  readonly #parts: TransferParts;
  readonly #abort = new AbortController();
  /** Which connection it is on. */
  readonly #class: 'demand' | 'background';
  #progressMs: number;
  #hasBegun = false;
  #unanswered: number;

  constructor(
    { priority, mayWait, wants }: Pick<Request<BlockWant, unknown>, 'priority' | 'mayWait' | 'wants'>,
    parts: TransferParts,
  ) {
    this.link = parts.link;
    this.priority = priority;
    this.mayWait = mayWait;
    this.#parts = parts;
    this.startedMs = parts.clock.now();
    this.#progressMs = this.startedMs;
    this.#class = priority === 'demand' ? 'demand' : 'background';
    this.#unanswered = wants.length;
    for (const want of wants) this.pending.set(want.id, want);
  }

  get standing(): Standing {
    return this.#parts.standing;
  }

  /** Rejects with what ended the call early; then what is left in `pending` has not come. */
  async run(): Promise<void> {
    this.link.calls++;
    this.#count(this.#unanswered);
    try {
      await this.#parts.client.blocks(
        [...this.pending.keys()],
        (id, bytes) => this.#receive(id, bytes),
        this.#abort.signal,
        this.#class === 'demand',
        { mayWait: this.mayWait, onProgress: () => this.#progress() },
      );
    } finally {
      this.#count(-this.#unanswered);
      this.link.calls--;
      if (this.link.calls === 0) this.link.meter.idle();
    }
  }

  /** A call without connection is the link's to know. */
  reportLost(reason: string): void {
    this.link.lost(this.#parts.client, reason);
  }

  cancel(): void {
    this.#abort.abort();
  }

  /** Nobody wants this one any more, or another neighbour was faster. */
  drop(want: BlockWant): void {
    this.pending.delete(want.id);
    if (this.pending.size === 0) this.cancel();
  }

  /** Its connection has been given up; a call on it may hang for as long as TCP hopes. */
  get isOrphaned(): boolean {
    return this.link.client !== this.#parts.client;
  }

  /** The demanded block ought to be here by now. What stands before it on the same connection counts as its own progress. */
  isLate(want: BlockWant, nowMs: number, { silentMs, blockMs }: LateBounds): boolean {
    const sinceMs = Math.max(this.startedMs, want.demandSinceMs);
    if (this.#class === 'background') return nowMs - sinceMs > BULK_FACTOR * blockMs;
    const { heardMs, blockMs: lastBlockMs } = this.standing;
    return (
      nowMs - Math.max(sinceMs, heardMs.demand) > silentMs || nowMs - Math.max(sinceMs, lastBlockMs) > blockMs
    );
  }

  isStalled(nowMs: number, isAlone: boolean): boolean {
    if (nowMs - this.startedMs > LONGEST_MS) return true;
    const leastMs = this.mayWait ? STALLED_WAITING_MS : isAlone ? STALLED_ALONE_MS : STALLED_MIN_MS;
    const aliveMs = this.mayWait ? this.#progressMs : this.#heardMs;
    return nowMs - aliveMs > Math.max(leastMs, STALLED_FACTOR * this.link.meter.assumedRttMs);
  }

  /** Nothing has come on its connection for a while: it is worth a look whether the neighbour is there. */
  isSilent(nowMs: number): boolean {
    return nowMs - this.#heardMs > Math.max(SILENT_MIN_MS, SILENT_FACTOR * this.link.meter.assumedRttMs);
  }

  /** Answers come one after the other, so what comes for one call on a connection is progress of the next. */
  get #heardMs(): number {
    return Math.max(this.#progressMs, this.standing.heardMs[this.#class]);
  }

  #progress(): void {
    const nowMs = this.#parts.clock.now();
    if (!this.#hasBegun && this.priority === 'demand') {
      this.#parts.hedging.firstByte(nowMs - Math.max(this.startedMs, this.standing.heardMs.demand));
    }
    this.#hasBegun = true;
    this.#progressMs = nowMs;
    this.standing.heardMs[this.#class] = nowMs;
  }

  #receive(id: BlockId, bytes: Uint8Array | undefined): Promise<void> | undefined {
    const nowMs = this.#parts.clock.now();
    const silentMs = nowMs - this.#progressMs;
    this.#progressMs = nowMs;
    this.#unanswered--;
    this.#count(-1);
    this.link.heard(bytes?.length ?? 0);
    if (bytes) this.#measure(nowMs);
    const want = this.pending.get(id);
    if (!want) return undefined;
    this.pending.delete(id);
    if (bytes) return this.#parts.handler.block(this, want, bytes);
    if (
      this.mayWait &&
      silentMs > HELD_IN_VAIN_MS &&
      nowMs - Math.max(this.startedMs, this.standing.gaveMs) > HELD_IN_VAIN_MS
    )
      this.standing.slackened(nowMs);
    this.#parts.handler.missing(this, want);
    return undefined;
  }

  #measure(nowMs: number): void {
    const { standing, hedging } = this.#parts;
    if (this.#class === 'demand') {
      const tookMs = nowMs - Math.max(this.startedMs, standing.blockMs);
      hedging.block(tookMs);
      standing.demanded(tookMs, nowMs);
      standing.blockMs = nowMs;
    }
    standing.delivered(nowMs);
  }

  #count(blocks: number): void {
    this.link.inFlight[this.#class] += blocks * this.#parts.blockBytes;
  }
}
