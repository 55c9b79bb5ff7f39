/** One call for blocks under way from one node to another: the blocks come one after the other, as the links allow. */
import type { BlockId } from '../../blocks/types.ts';
import type { Timers } from '../../peers/placement/timers.ts';
import type { Source } from '../../peers/scheduler.ts';
import type { Want } from '../../peers/wants.ts';
import { blockBytes } from './disk.ts';
import type { SimNode } from './node.ts';
import type { World } from './world.ts';

export interface SimLink extends Source {
  readonly node: SimNode;
  penalizedUntilMs: number;
}

export type BlockWant = Want<BlockCall, SimLink>;

export interface CallHandler {
  block(call: BlockCall, want: BlockWant, bytes: Uint8Array): void;
  missing(call: BlockCall, want: BlockWant): void;
  late(): void;
  /** Nothing more comes; what is still pending has not come. */
  ended(call: BlockCall): void;
}

const NAME_BYTES = 32;
const LATE_FACTOR = 4;
const LATE_MIN_MS = 150;
const STALLED_FACTOR = 8;
const STALLED_MIN_MS = 2000;
/** Chance that a source sends a block that is not what it was asked for; of one that lies. */
const WRONG_CHANCE = 0.001;
const LIE_CHANCE = 0.3;

export class BlockCall {
  readonly link: SimLink;
  readonly pending = new Map<BlockId, BlockWant>();
  readonly #world: World;
  readonly #node: SimNode;
  readonly #isDemand: boolean;
  readonly #handler: CallHandler;
  readonly #timers: Timers;
  readonly #startedMs: number;
  #progressMs: number;
  #unanswered: number;
  #isOver = false;
  #cancelTimer = () => {};

  constructor(
    world: World,
    node: SimNode,
    link: SimLink,
    isDemand: boolean,
    wants: readonly BlockWant[],
    timers: Timers,
    handler: CallHandler,
  ) {
    this.#world = world;
    this.#node = node;
    this.link = link;
    this.#isDemand = isDemand;
    this.#handler = handler;
    this.#timers = timers;
    this.#startedMs = node.clock.now();
    this.#progressMs = this.#startedMs;
    this.#unanswered = wants.length;
    for (const want of wants) this.pending.set(want.id, want);
  }

  run(): void {
    const { network } = this.#world;
    const { link } = this;
    link.calls++;
    this.#count(this.#unanswered);
    const ids = [...this.pending.keys()];
    this.#world.asked(this.#node, ids);
    if (this.#isDemand)
      this.#timers.after(Math.max(LATE_MIN_MS, LATE_FACTOR * this.#expectedMs()), () => {
        if (!this.#isOver) this.#handler.late();
      });
    this.#watch();
    network.send(this.#node.port, link.node.port, NAME_BYTES * ids.length, () => this.#serve(ids));
  }

  /** The process that has asked is gone. */
  abandon(): void {
    this.#isOver = true;
  }

  drop(want: BlockWant): void {
    this.pending.delete(want.id);
    if (this.pending.size === 0) this.#end();
  }

  isLate(nowMs: number): boolean {
    return nowMs - this.#startedMs + 1 >= Math.max(LATE_MIN_MS, LATE_FACTOR * this.#expectedMs());
  }

  #expectedMs(): number {
    const { inFlight, rttMs, bytesPerSecond } = this.link;
    return rttMs + ((inFlight.demand + inFlight.background) / bytesPerSecond) * 1000;
  }

  /** On the other node. */
  #serve(ids: readonly BlockId[]): void {
    const { network, random } = this.#world;
    const { node } = this.link;
    const answer = (bytes: number, arrived: () => void) =>
      network.send(node.port, this.#node.port, bytes, arrived);
    if (!node.process) {
      answer(0, () => this.#end());
      return;
    }
    for (const id of ids) {
      const sizeBytes = node.disk.sizeOf(id);
      if (sizeBytes === undefined) {
        answer(0, () => this.#receive(id, undefined));
        continue;
      }
      const isWrong = random.chance(node.isLiar ? LIE_CHANCE : WRONG_CHANCE);
      answer(sizeBytes, () => this.#receive(id, blockBytes(isWrong ? 'something else' : id, sizeBytes)));
    }
  }

  #receive(id: BlockId, bytes: Uint8Array | undefined): void {
    if (bytes) this.#world.counts.receivedBytes += bytes.length;
    if (this.#isOver) return;
    this.#progressMs = this.#node.clock.now();
    this.#unanswered--;
    this.#count(-1);
    const want = this.pending.get(id);
    this.pending.delete(id);
    if (want && bytes) this.#handler.block(this, want, bytes);
    else if (want) this.#handler.missing(this, want);
    if (this.#unanswered === 0) this.#end();
  }

  /** One that stands still is given up. */
  #watch(): void {
    const silentMs = Math.max(STALLED_MIN_MS, STALLED_FACTOR * this.#expectedMs());
    const leftMs = this.#progressMs + silentMs - this.#node.clock.now();
    if (leftMs < 1) this.#end();
    else this.#cancelTimer = this.#timers.after(leftMs, () => this.#watch());
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#count(-this.#unanswered);
    this.link.calls--;
    this.#handler.ended(this);
  }

  #count(blocks: number): void {
    this.link.inFlight[this.#isDemand ? 'demand' : 'background'] += blocks * (1 << 17);
  }
}
