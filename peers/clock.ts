/**
 * Time and chance, injected: what decides (roster, directory, custody, task) has none of its own, so that a simulator can
 * drive it by a virtual clock from a seed.
 */
export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds since 1970: for records and expiry only, since it may jump. */
  wall(): number;
  /** Runs `fn` once, after `ms` milliseconds; the answer cancels it. Keeps the process alive only where `holds`: somebody waits for it. */
  after(ms: number, fn: () => void, holds?: boolean): () => void;
  /** Runs `fn` once, when all that has come in by now has been seen to. */
  soon(fn: () => void): void;
  /** 0 <= x < 1. */
  random(): number;
}

export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, fn, holds = false) {
    const timer = setTimeout(fn, ms);
    if (!holds) timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (fn) => void setImmediate(fn),
  random: Math.random,
};

/** Runs `fn` again and again, `ms` milliseconds apart; the answer ends it. Keeps no process alive. */
export function every(clock: Clock, ms: number, fn: () => void): () => void {
  let cancel = () => {};
  const next = () => {
    cancel = clock.after(ms, () => {
      next();
      fn();
    });
  };
  next();
  return () => cancel();
}
