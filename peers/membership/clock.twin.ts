/** Clocks for tests: one that stands still until it is told, and one that runs fast. */
import type { Test } from 'tap';
import { seededPick } from '../../blocks/testing.ts';
import { type Clock, realClock } from '../clock.ts';

/** Time passes only in `advance`; chance comes from a printed seed. */
export class VirtualClock implements Clock {
  readonly random: () => number;
  #nowMs = 0;
  /** The latest first, and of those at one time the last that was asked for. */
  readonly #timers: { atMs: number; fn: () => void }[] = [];

  constructor(t: Test) {
    const pick = seededPick(t);
    this.random = () => pick(2 ** 31) / 2 ** 31;
  }

  now(): number {
    return this.#nowMs;
  }

  wall(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { atMs: this.#nowMs + Math.max(0, ms), fn };
    let [low, high] = [0, this.#timers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#timers[middle]!.atMs > timer.atMs) low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return () => {
      const at = this.#timers.indexOf(timer);
      if (at >= 0) this.#timers.splice(at, 1);
    };
  }

  soon(fn: () => void): void {
    this.after(0, fn);
  }

  /** Runs what is due within `ms`, in its order. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#timers.at(-1); next && next.atMs <= untilMs; next = this.#timers.at(-1)) {
      this.#timers.pop();
      this.#nowMs = next.atMs;
      next.fn();
    }
    this.#nowMs = untilMs;
  }
}

/** The real clock, so many times as fast: seconds of waiting become milliseconds. */
export function fastClock(times: number): Clock {
  const startMs = realClock.now();
  return {
    now: () => (realClock.now() - startMs) * times,
    wall: realClock.wall,
    after: (ms, fn, holds) => realClock.after(ms / times, fn, holds),
    soon: realClock.soon,
    random: realClock.random,
  };
}
