/**
 * Virtual time: a queue of events, run one by one in the order of their times (equal times: in the order of their making).
 * Nothing else moves the clock, so a run follows from its seed alone.
 *
 * What the real code does after an `await` runs in microtasks. They are let run to their end after each event, before the
 * next one; events that are the simulator's own book-keeping (`quiet`) are spared that. Now and then Node's own loop gets a turn.
 * Real code must not wait for anything but the clock it is given: a promise that the operating system settles would come at
 * a random virtual time.
 */
import type { Clock } from '../../peers/clock.ts';
import type { Random } from './random.ts';

interface Event {
  atMs: number;
  order: number;
  run: (() => void) | undefined;
  quiet: boolean;
}

const EVENTS_A_TURN = 4096;

/** 2026-01-01: what a wall clock shows when a run begins. */
export const WALL_START_MS = 1_767_225_600_000;

export class VirtualTime {
  nowMs = 0;
  /** Events run so far. */
  events = 0;
  /** Called after each event that was not quiet, when its microtasks have run. Throws to end the run. */
  afterEvent: () => void = () => {};
  readonly #heap: Event[] = [];
  #made = 0;
  #cancelled = 0;

  /** Runs once, `ms` from now; the answer cancels. */
  after(ms: number, run: () => void, quiet = false): () => void {
    if (!(ms >= 0)) throw new RangeError(`an event ${ms} ms from now`);
    const event: Event = { atMs: this.nowMs + ms, order: this.#made++, run, quiet };
    this.#push(event);
    return () => {
      if (event.run) this.#cancelled++;
      event.run = undefined;
      if (this.#cancelled > 1000 && this.#cancelled > this.#heap.length / 2) this.#sweep();
    };
  }

  /** Runs all events up to that time, and sets the clock to it. */
  async runUntil(untilMs: number): Promise<void> {
    // Where the caller is no microtask itself, ticks come before its microtasks.
    await turn();
    for (;;) {
      const event = this.#heap[0];
      if (!event || event.atMs > untilMs) break;
      this.#pop();
      const { run } = event;
      if (!run) {
        this.#cancelled--;
        continue;
      }
      event.run = undefined;
      this.nowMs = event.atMs;
      this.events++;
      run();
      if (event.quiet) continue;
      if (this.events % EVENTS_A_TURN === 0) await turn();
      else await settled();
      this.afterEvent();
    }
    this.nowMs = untilMs;
  }

  /** A node's clock: monotonic since its start, a wall clock that may be wrong by `skewMs`, chance of its own. */
  clock(random: Random, skewMs = 0): Clock {
    return {
      now: () => this.nowMs,
      wall: () => Math.floor(WALL_START_MS + this.nowMs + skewMs),
      after: (ms, fn) => this.after(Math.max(0, ms), fn),
      soon: (fn) => void this.after(0, fn),
      random: () => random.next(),
    };
  }

  #push(event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(event, heap[above]!)) break;
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = event;
  }

  #pop(): void {
    const last = this.#heap.pop()!;
    if (this.#heap.length > 0) this.#sink(0, last);
  }

  #sink(from: number, event: Event): void {
    const heap = this.#heap;
    let at = from;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) below++;
      if (!isBefore(heap[below]!, event)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = event;
  }

  /** Timers are cancelled more often than they fire: their places must not pile up. */
  #sweep(): void {
    const live = this.#heap.filter(({ run }) => run);
    this.#heap.length = 0;
    this.#cancelled = 0;
    for (const event of live) this.#push(event);
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** When every microtask that can run has run: ticks come after them. */
function settled(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}

/** One turn of Node's own loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
