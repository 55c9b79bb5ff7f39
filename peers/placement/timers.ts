/** Timers of one owner, which all end with it: a sleep that is cut off never returns, so nothing happens after `stop`. */
import type { Clock } from '../clock.ts';

export class Timers {
  readonly #clock: Clock;
  readonly #pending = new Set<() => void>();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(ms: number, fn: () => void): () => void {
    if (this.#isStopped) return () => {};
    const cancelTimer = this.#clock.after(ms, () => {
      this.#pending.delete(cancel);
      fn();
    });
    const cancel = () => {
      this.#pending.delete(cancel);
      cancelTimer();
    };
    this.#pending.add(cancel);
    return cancel;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  stop(): void {
    this.#isStopped = true;
    for (const cancel of [...this.#pending]) cancel();
  }
}
