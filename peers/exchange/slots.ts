/** Counts the calls that are open, for each neighbour and in all. */
import { BusyError } from './errors.ts';

export class Slots {
  readonly #maxEach: number;
  readonly #maxAll: number;
  readonly #open = new Map<string, number>();
  #all = 0;

  constructor(maxEach: number, maxAll: number) {
    this.#maxEach = maxEach;
    this.#maxAll = maxAll;
  }

  /** Throws BusyError when none is free. The answer gives the slot back; it is to be called once. */
  take(name: string): () => void {
    const open = this.#open.get(name) ?? 0;
    if (open >= this.#maxEach) throw new BusyError(`${open} calls of ${name} are open`);
    if (this.#all >= this.#maxAll) throw new BusyError(`${this.#all} calls are open`);
    this.#open.set(name, open + 1);
    this.#all++;
    return () => {
      const left = this.#open.get(name)! - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
      this.#all--;
    };
  }

  get open(): number {
    return this.#all;
  }
}
