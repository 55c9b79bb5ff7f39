/** One call for blocks under way from one neighbour, and what it tells the link while it runs. */
import type { BlockId } from '../blocks/types.ts';
import type { PeerClient } from './exchange/client.ts';
import type { Link } from './link.ts';
import type { Priority } from './types.ts';
import type { Want } from './wants.ts';

export type BlockWant = Want<Transfer, Link>;

export interface TransferHandler {
  /** A block came; `bytes` may be looked at until the promise is settled. */
  block(transfer: Transfer, want: BlockWant, bytes: Uint8Array): Promise<void>;
  /** The neighbour does not have it. */
  missing(transfer: Transfer, want: BlockWant): void;
}

/** A late block is asked of another neighbour when it has taken this many times as long as expected ... */
const LATE_FACTOR = 4;
/** ... but not before this. */
const LATE_MIN_MS = 150;
const STALLED_FACTOR = 8;
const STALLED_MIN_MS = 2000;
/** No honest call takes longer: it asks for a fraction of a second's worth. */
const LONGEST_MS = 60_000;

export class Transfer {
  readonly link: Link;
  readonly priority: Priority;
  /** What was asked and has not been answered. */
  readonly pending = new Map<BlockId, BlockWant>();
  readonly #client: PeerClient;
  readonly #handler: TransferHandler;
  readonly #abort = new AbortController();
  readonly #blockBytes: number;
  readonly #startedMs = performance.now();
  #progressMs = this.#startedMs;
  #unanswered: number;

  constructor(
    link: Link,
    client: PeerClient,
    priority: Priority,
    wants: readonly BlockWant[],
    blockBytes: number,
    handler: TransferHandler,
  ) {
    this.link = link;
    this.priority = priority;
    this.#client = client;
    this.#handler = handler;
    this.#blockBytes = blockBytes;
    this.#unanswered = wants.length;
    for (const want of wants) this.pending.set(want.id, want);
  }

  /** Rejects with what ended the call early; then what is left in `pending` has not come. */
  async run(): Promise<void> {
    this.link.calls++;
    this.#count(this.#unanswered);
    try {
      await this.#client.blocks(
        [...this.pending.keys()],
        (id, bytes) => this.#receive(id, bytes),
        this.#abort.signal,
        this.priority === 'demand',
      );
    } finally {
      this.#count(-this.#unanswered);
      this.link.calls--;
      if (this.link.calls === 0) this.link.meter.idle();
    }
  }

  /** A call without connection is the link's to know. */
  reportLost(reason: string): void {
    this.link.lost(this.#client, reason);
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
    return this.link.client !== this.#client;
  }

  isLate(want: BlockWant, nowMs: number): boolean {
    const waitedMs = nowMs - Math.max(this.#startedMs, want.demandSinceMs);
    return waitedMs > Math.max(LATE_MIN_MS, LATE_FACTOR * this.#expectedMs());
  }

  isStalled(nowMs: number): boolean {
    const silentMs = nowMs - this.#progressMs;
    return (
      silentMs > Math.max(STALLED_MIN_MS, STALLED_FACTOR * this.#expectedMs()) ||
      nowMs - this.#startedMs > LONGEST_MS
    );
  }

  #expectedMs(): number {
    const { inFlight, meter } = this.link;
    return meter.expectedMs(inFlight.demand + inFlight.background);
  }

  #receive(id: BlockId, bytes: Uint8Array | undefined): Promise<void> | undefined {
    this.#progressMs = performance.now();
    this.#unanswered--;
    this.#count(-1);
    this.link.heard(bytes?.length ?? 0);
    const want = this.pending.get(id);
    if (!want) return undefined;
    this.pending.delete(id);
    if (bytes) return this.#handler.block(this, want, bytes);
    this.#handler.missing(this, want);
    return undefined;
  }

  #count(blocks: number): void {
    this.link.inFlight[this.priority === 'demand' ? 'demand' : 'background'] += blocks * this.#blockBytes;
  }
}
