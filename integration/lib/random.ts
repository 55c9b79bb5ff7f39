/** Randomness that a failure can be replayed with: every test prints its seed, and takes it from FORAGE_TEST_SEED. */
export interface Random {
  readonly seed: number;
  /** In [0, 1). */
  next(): number;
  /** An integer in [from, to). */
  between(from: number, to: number): number;
}

/** mulberry32, by Tommy Ettinger (public domain algorithm). */
export function seededRandom(seed = Number(process.env.FORAGE_TEST_SEED ?? Date.now() % 2 ** 31)): Random {
  let state = seed >>> 0;
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  return { seed, next, between: (from, to) => from + Math.floor(next() * (to - from)) };
}
