/** A few at a time, in the order of their coming. A node asks for all volumes of a container at once, and is to have each of them. */
import { BusyError } from './errors.ts';

export class Line {
  readonly #maxInside: number;
  readonly #waitMaxMs: number;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  /** `waitMaxMs`: whoever has waited for so long is to ask somebody else. */
  constructor(maxInside: number, waitMaxMs: number) {
    this.#maxInside = maxInside;
    this.#waitMaxMs = waitMaxMs;
  }

  /** Throws BusyError when its turn does not come, or the signal's reason. The answer lets the next one in; it is to be called once. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inside < this.#maxInside) this.#inside++;
    else await this.#turn(signal);
    return () => this.#leave();
  }

  /** Whoever leaves hands its place on, so nobody comes in between. */
  #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const busy = () => reject(new BusyError(`${this.#inside} calls are open`));
    const timer = setTimeout(busy, this.#waitMaxMs);
    const aborted = () => reject(signal.reason);
    signal.addEventListener('abort', aborted, { once: true });
    this.#waiting.add(resolve);
    return promise.finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', aborted);
      this.#waiting.delete(resolve);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (!next) {
      this.#inside--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
