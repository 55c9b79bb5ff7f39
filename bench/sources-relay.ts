/** A bad stretch of the way to one node: what it sends comes late, or stands still now and then. TCP, so nothing is lost. */
import { createServer, connect as dial, type Socket } from 'node:net';

export interface RelayManner {
  /** Every byte comes so much later. */
  delayMs: number;
  /** Nothing moves for `stallMs` out of every `everyMs`. 0: never. */
  stallMs: number;
  everyMs: number;
}

export const CLEAR: RelayManner = { delayMs: 0, stallMs: 0, everyMs: 0 };

export class Relay {
  /** May be changed while it runs. */
  manner: RelayManner;

  constructor(manner: RelayManner) {
    this.manner = manner;
  }

  /** In front of a port of this machine's loopback. */
  async listen(to: number, host: string, port: number): Promise<void> {
    const server = createServer({ noDelay: true }, (near) => {
      const far = dial({ port: to, host: '127.0.0.1', noDelay: true });
      near.pipe(far);
      this.#forward(far, near);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('error', () => {});
        one.on('close', () => other.destroy());
      }
    });
    await new Promise<void>((listening) => server.listen(port, host, listening));
  }

  /** In order: timers of equal length fire in the order of their making, and no chunk is due before the one ahead of it. */
  #forward(from: Socket, to: Socket): void {
    let dueMs = 0;
    from.on('data', (chunk: Buffer) => {
      dueMs = Math.max(dueMs, this.#due(performance.now()));
      setTimeout(() => to.write(chunk), Math.max(0, dueMs - performance.now()));
      if (to.writableLength > 1 << 20) from.pause();
    });
    to.on('drain', () => from.resume());
  }

  #due(nowMs: number): number {
    const { delayMs, stallMs, everyMs } = this.manner;
    const arrivesMs = nowMs + delayMs;
    if (stallMs === 0) return arrivesMs;
    const into = arrivesMs % everyMs;
    return into < stallMs ? arrivesMs - into + stallMs : arrivesMs;
  }
}
