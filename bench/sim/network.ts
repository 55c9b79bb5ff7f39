/**
 * The network: what arrives when, and what does not.
 *
 * Each node has an uplink and a downlink; messages of one link go one after the other (blocks are small against the time
 * that is looked at, so streams share a link by taking turns), and a message is under way on both at once. Between two nodes
 * there is a latency. Everything rides on TCP, so loss is delay: a resend after a timeout, which holds back what comes behind
 * it on the same connection.
 *
 * Cut off (a partition, a machine without power) means silence, as it does in reality: nothing is refused, nothing comes. A
 * crashed process on a living machine refuses at once.
 */
import type { Random } from './random.ts';
import type { VirtualTime } from './time.ts';

export interface Port {
  readonly name: string;
  upBytesPerSecond: number;
  downBytesPerSecond: number;
  /** Half of a round trip to the middle of the network. */
  latencyMs: number;
  /** Chance that a packet is lost. */
  loss: number;
  /** Nodes in different groups do not hear of each other. */
  group: number;
  /** The machine has power; without, it is silent. */
  on: boolean;
}

interface Line {
  upFreeMs: number;
  downFreeMs: number;
}

const PACKET_BYTES = 1400;
const RESEND_MIN_MS = 200;
/** Headers of TCP, TLS, HTTP/2 and gRPC. */
const ENVELOPE_BYTES = 100;

export interface PortOptions {
  upBytesPerSecond: number;
  downBytesPerSecond: number;
  latencyMs: number;
  loss: number;
}

export class Network {
  readonly time: VirtualTime;
  readonly #random: Random;
  readonly #lines = new WeakMap<Port, Line>();
  /** When the last message of a connection comes: the next one cannot overtake it. */
  readonly #lastMs = new Map<string, number>();
  messages = 0;
  bytes = 0;

  constructor(time: VirtualTime, random: Random) {
    this.time = time;
    this.#random = random;
  }

  port(name: string, options: PortOptions): Port {
    const port = { name, ...options, group: 0, on: true };
    this.#lines.set(port, { upFreeMs: 0, downFreeMs: 0 });
    return port;
  }

  reaches(from: Port, to: Port): boolean {
    return from.on && to.on && from.group === to.group;
  }

  /** Time that an empty message takes. */
  latencyMs(from: Port, to: Port): number {
    return from.latencyMs + to.latencyMs;
  }

  /** Sends. `arrived` runs when all of it is there; never, when the two are apart by then. */
  send(from: Port, to: Port, bytes: number, arrived: () => void): void {
    const { time } = this;
    const total = bytes + ENVELOPE_BYTES;
    this.messages++;
    this.bytes += total;
    const up = this.#lines.get(from)!;
    const startMs = Math.max(time.nowMs, up.upFreeMs);
    up.upFreeMs = startMs + (total / from.upBytesPerSecond) * 1000;
    const latencyMs = this.latencyMs(from, to) + this.#resendMs(from, to, total);
    const lastByteMs = up.upFreeMs + latencyMs;
    time.after(
      startMs + latencyMs - time.nowMs,
      () => this.#receive(from, to, total, lastByteMs, arrived),
      true,
    );
  }

  /** The first byte is there: the rest comes as the downlink allows. */
  #receive(from: Port, to: Port, bytes: number, lastByteMs: number, arrived: () => void): void {
    if (!this.reaches(from, to)) return;
    const { time } = this;
    const down = this.#lines.get(to)!;
    down.downFreeMs = Math.max(time.nowMs, down.downFreeMs) + (bytes / to.downBytesPerSecond) * 1000;
    const connection = `${from.name}>${to.name}`;
    const atMs = Math.max(down.downFreeMs, lastByteMs, this.#lastMs.get(connection) ?? 0);
    if (from.loss + to.loss > 0) this.#lastMs.set(connection, atMs);
    time.after(atMs - time.nowMs, () => {
      if (this.reaches(from, to)) arrived();
    });
  }

  #resendMs(from: Port, to: Port, bytes: number): number {
    const loss = from.loss + to.loss;
    if (loss === 0) return 0;
    const lost = 1 - (1 - loss) ** Math.ceil(bytes / PACKET_BYTES);
    let delayMs = 0;
    let timeoutMs = Math.max(RESEND_MIN_MS, 4 * this.latencyMs(from, to));
    for (let p = lost; this.#random.chance(p) && delayMs < 60_000; p = loss) {
      delayMs += timeoutMs;
      timeoutMs *= 2;
    }
    return delayMs;
  }
}
