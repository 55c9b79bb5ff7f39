/**
 * Time and chance, injected: what decides (roster, directory, custody, task) has none of its own, so that a simulator can
 * drive it by a virtual clock from a seed.
 */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds since 1970: for records and expiry only, since it may jump. */
  wall(): number;
  /** Runs `fn` once, after `ms` milliseconds; the answer cancels it. Keeps no process alive. */
  after(ms: number, fn: () => void): () => void;
  /** 0 <= x < 1. */
  random(): number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    timer.unref();
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
