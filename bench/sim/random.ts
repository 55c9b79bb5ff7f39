/** Chance from a seed: the same seed gives the same sequence on every machine. sfc32, a small generator that passes PractRand. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  /** `stream` separates uses of one seed, so that a change in one does not shift the others. */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) ^ Math.imul(stream, 0x9e3779b9);
    this.#c = 0x6a09e667 ^ stream;
    for (let i = 0; i < 15; i++) this.next();
  }

  /** 0 <= x < 1. */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` up to, not including, `high`. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low));
  }

  between(low: number, high: number): number {
    return low + this.next() * (high - low);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length)]!;
  }

  /** `count` different ones, or all. */
  some<T>(from: readonly T[], count: number): T[] {
    const rest = [...from];
    const picked: T[] = [];
    while (picked.length < count && rest.length > 0) {
      const at = this.whole(0, rest.length);
      picked.push(rest[at]!);
      rest[at] = rest[rest.length - 1]!;
      rest.pop();
    }
    return picked;
  }

  /** Waiting time of a Poisson process. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }
}
