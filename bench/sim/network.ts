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
 *
 * A message of one packet does not wait for the downlink: it comes between the packets of longer ones.
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
  readonly line: Line;
}

/** What is under way. */
interface Line {
  upFreeMs: number;
  downFreeMs: number;
  /** By the other end, when the last message of a connection that loses packets comes: the next one cannot overtake it. */
  readonly lastMs: Map<Port, number>;
  /** What waits for the uplink to be free. */
  readonly waiting: (() => void)[];
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
  messages = 0;
  bytes = 0;

  constructor(time: VirtualTime, random: Random) {
    this.time = time;
    this.#random = random;
  }

  port(name: string, options: PortOptions): Port {
    return {
      name,
      ...options,
      group: 0,
      on: true,
      line: { upFreeMs: 0, downFreeMs: 0, lastMs: new Map(), waiting: [] },
    };
  }

  reaches(from: Port, to: Port): boolean {
    return from.on && to.on && from.group === to.group;
  }

  /** Time that an empty message takes. */
  latencyMs(from: Port, to: Port): number {
    return from.latencyMs + to.latencyMs;
  }

  /** How long what has come must wait for the downlink. */
  backlogMs({ line }: Port): number {
    return Math.max(0, line.downFreeMs - this.time.nowMs);
  }

  /** Sends. `arrived` runs when all of it is there; never, when the two are apart by then. */
  send(from: Port, to: Port, bytes: number, arrived: () => void): void {
    const { time } = this;
    const total = bytes + ENVELOPE_BYTES;
    this.messages++;
    this.bytes += total;
    const { line } = from;
    const startMs = Math.max(time.nowMs, line.upFreeMs);
    line.upFreeMs = startMs + (total / from.upBytesPerSecond) * 1000;
    const latencyMs = this.latencyMs(from, to) + this.#resendMs(from, to, total);
    const lastByteMs = line.upFreeMs + latencyMs;
    if (total <= PACKET_BYTES) this.#deliver(from, to, lastByteMs, arrived);
    else {
      const receive = () => this.#receive(from, to, total, lastByteMs, arrived);
      time.after(startMs + latencyMs - time.nowMs, receive, true);
    }
  }

  /**
   * Runs once the uplink has sent all that it has, one after the other: for what is long and may be called off until it is sent. Whoever has
   * more to send comes again, behind the others.
   */
  whenFree({ line }: Port, run: () => void): void {
    if (line.waiting.length === 0 && line.upFreeMs <= this.time.nowMs) {
      run();
      return;
    }
    line.waiting.push(run);
    if (line.waiting.length === 1) this.#nextWhenFree(line);
  }

  #nextWhenFree(line: Line): void {
    const { time } = this;
    const next = () => {
      while (line.waiting.length > 0 && line.upFreeMs <= time.nowMs) line.waiting.shift()!();
      if (line.waiting.length > 0) this.#nextWhenFree(line);
    };
    time.after(Math.max(0, line.upFreeMs - time.nowMs), next, true);
  }

  /** The first byte is there: the rest comes as the downlink allows. */
  #receive(from: Port, to: Port, bytes: number, lastByteMs: number, arrived: () => void): void {
    if (!this.reaches(from, to)) return;
    const { line } = to;
    line.downFreeMs = Math.max(this.time.nowMs, line.downFreeMs) + (bytes / to.downBytesPerSecond) * 1000;
    this.#deliver(from, to, Math.max(line.downFreeMs, lastByteMs), arrived);
  }

  #deliver(from: Port, to: Port, soonestMs: number, arrived: () => void): void {
    let atMs = soonestMs;
    if (from.loss + to.loss > 0) {
      const { lastMs } = from.line;
      atMs = Math.max(atMs, lastMs.get(to) ?? 0);
      lastMs.set(to, atMs);
    }
    this.time.after(atMs - this.time.nowMs, () => {
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
