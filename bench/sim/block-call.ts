/** One call for blocks under way from one node to another: the blocks come one after the other, as the links allow. */
import type { BlockId } from '../../blocks/types.ts';
import type { Timers } from '../../peers/placement/timers.ts';
import type { Source } from '../../peers/scheduler.ts';
import type { Want } from '../../peers/wants.ts';
import { blockBytes } from './disk.ts';
import type { Process, SimNode } from './node.ts';
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
/** Of an answer; without a block behind it, it says that the block is not there. Such answers in a row travel together. */
const HEADER_BYTES = 8;
/** TCP sends no more than the other end's link takes; this stands for its buffers. */
const BACKLOG_MAX_MS = 500;
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
  /** The other node knows that nobody waits for the rest. */
  #isCancelled = false;
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
    network.send(this.#node.port, link.node.port, NAME_BYTES * ids.length, () => {
      const { process } = link.node;
      if (process) this.#serve(ids, process);
      else this.#answer(0, () => this.#end());
    });
  }

  /** The process that has asked is gone, and so is its connection. */
  abandon(): void {
    this.#isOver = true;
    this.#cancel();
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

  /** On the other node, until its process ends: blocks go one after the other, those that are missing in a row are told together. */
  #serve(ids: readonly BlockId[], process: Process): void {
    const { node } = this.link;
    if (node.process !== process || this.#isCancelled) return;
    const found = ids.findIndex((id) => node.disk.has(id));
    const absent = found < 0 ? ids : ids.slice(0, found);
    if (absent.length > 0) this.#answer(HEADER_BYTES * absent.length, () => this.#receiveNone(absent));
    if (found >= 0) this.#world.network.whenFree(node.port, () => this.#send(ids.slice(found), process));
  }

  /** The first of these, once there is room for it on the other end's link; it may have gone meanwhile. */
  #send(ids: readonly BlockId[], process: Process): void {
    const { node } = this.link;
    if (node.process !== process || this.#isCancelled) return;
    const [id, ...rest] = ids as [BlockId, ...BlockId[]];
    const fullMs = this.#world.network.backlogMs(this.#node.port) - BACKLOG_MAX_MS;
    if (fullMs > 0) {
      this.#world.time.after(fullMs, () => this.#serve(ids, process), true);
      return;
    }
    const sizeBytes = node.disk.sizeOf(id);
    if (sizeBytes === undefined) {
      this.#serve(ids, process);
      return;
    }
    const isWrong = this.#world.random.chance(node.isLiar ? LIE_CHANCE : WRONG_CHANCE);
    const block = blockBytes(isWrong ? 'something else' : id, sizeBytes);
    this.#answer(sizeBytes, () => this.#receive(id, block));
    if (rest.length > 0) this.#serve(rest, process);
  }

  #answer(bytes: number, arrived: () => void): void {
    this.#world.network.send(this.link.node.port, this.#node.port, bytes, arrived);
  }

  #receiveNone(ids: readonly BlockId[]): void {
    for (const id of ids) this.#receive(id, undefined);
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
    if (this.#unanswered > 0) this.#cancel();
    this.#count(-this.#unanswered);
    this.link.calls--;
    this.#handler.ended(this);
  }

  #cancel(): void {
    this.#world.network.send(this.#node.port, this.link.node.port, 0, () => {
      this.#isCancelled = true;
    });
  }

  #count(blocks: number): void {
    this.link.inFlight[this.#isDemand ? 'demand' : 'background'] += blocks * (1 << 17);
  }
}
