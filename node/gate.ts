/**
 * Many may make volumes at once, or one may collect blocks: a block that is found in the store while a volume is being
 * made must still be there when the volume's index is published.
 */
export interface Gate {
  /** Runs beside other shared work, and ahead of exclusive work that still waits: a container is started by it. */
  shared<T>(work: () => Promise<T>): Promise<T>;
  /** Runs alone, once no shared work is under way: freeing space can wait. */
  exclusive<T>(work: () => Promise<T>): Promise<T>;
  /** Shared work is under way. */
  isMaking(): boolean;
}

export function createGate(): Gate {
  let sharedRunning = 0;
  let exclusiveRunning = false;
  const waiting: (() => void)[] = [];

  /** Resolves when some work ends: then the caller looks again, and acts in the same turn. */
  function someEnd(): Promise<void> {
    return new Promise((resolve) => waiting.push(resolve));
  }

  function wakeAll(): void {
    for (const resolve of waiting.splice(0)) resolve();
  }

  return {
    isMaking: () => sharedRunning > 0,
    async shared(work) {
      while (exclusiveRunning) await someEnd();
      sharedRunning++;
      try {
        return await work();
      } finally {
        sharedRunning--;
        wakeAll();
      }
    },
    async exclusive(work) {
      while (exclusiveRunning || sharedRunning > 0) await someEnd();
      exclusiveRunning = true;
      try {
        return await work();
      } finally {
        exclusiveRunning = false;
        wakeAll();
      }
    },
  };
}
