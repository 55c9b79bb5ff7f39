/**
 * Many may make volumes at once, or one may collect blocks: a block that is found in the store while a volume is being
 * made must still be there when the volume's index is published.
 */
export interface Gate {
  /** Runs beside other shared work. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs alone. Shared work that comes later waits behind it, so it is never starved. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
}

export function createGate(): Gate {
  let lastExclusive: Promise<unknown> = Promise.resolve();
  const running = new Set<Promise<unknown>>();

  function settled(promise: Promise<unknown>): Promise<void> {
    return promise.then(
      () => undefined,
      () => undefined,
    );
  }

  return {
    shared(work) {
      const result = settled(lastExclusive).then(work);
      running.add(result);
      void settled(result).then(() => running.delete(result));
      return result;
    },
    exclusive(work) {
      const before = [lastExclusive, ...running].map(settled);
      const result = Promise.all(before).then(work);
      lastExclusive = result;
      return result;
    },
  };
}
