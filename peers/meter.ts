/** Smoothed measurements of one neighbour: round trip and rate. Pure: the caller brings the clock. */

const WEIGHT_OF_NEWEST = 0.25;
/** Before anything is measured: a near node on a modest link. */
const ASSUMED_RTT_MS = 20;
const ASSUMED_BYTES_PER_SECOND = 4_000_000;
/** A rate is taken over at least this much; less says more about latency, and about bursts, than about the link. */
const SAMPLE_BYTES = 256 * 1024;
const SAMPLE_MS = 50;

export class Meter {
  /** Smoothed; undefined until measured. */
  rttMs: number | undefined;
  /** Follows a rise at once and a fall slowly: it is to be what the link can do, not what was asked of it lately. */
  bytesPerSecond: number | undefined;
  /** The shortest round trip lately: what the path takes without our own traffic in front. */
  #leastRttMs: number | undefined;
  #since: { ms: number; bytes: number } | undefined;
  readonly #halfLifeMs: number | undefined;

  /** `halfLifeMs`: busy time in which the rate falls by half, at most; absent: it follows a fall within some samples. */
  constructor(halfLifeMs?: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  roundTrip(ms: number): void {
    this.rttMs = smooth(this.rttMs, ms);
    this.#leastRttMs = Math.min(ms, (this.#leastRttMs ?? ms) * 1.1);
  }

  /** Bytes came in at `nowMs`. The first ones of a busy spell only start the clock: they include the round trip. */
  arrived(bytes: number, nowMs: number): void {
    if (!this.#since) {
      this.#since = { ms: nowMs, bytes: 0 };
      return;
    }
    this.#since.bytes += bytes;
    const elapsedMs = nowMs - this.#since.ms;
    if (this.#since.bytes < SAMPLE_BYTES || elapsedMs < SAMPLE_MS) return;
    const sample = (this.#since.bytes / elapsedMs) * 1000;
    this.bytesPerSecond = Math.max(sample, this.#fallen(sample, elapsedMs));
    this.#since = { ms: nowMs, bytes: 0 };
  }

  /** What is left of the rate after a sample that is lower. */
  #fallen(sample: number, elapsedMs: number): number {
    if (this.#halfLifeMs === undefined) return smooth(this.bytesPerSecond, sample);
    return (this.bytesPerSecond ?? 0) * 0.5 ** (elapsedMs / this.#halfLifeMs);
  }

  /** Nothing is on the way any more: the time from here on is not the link's. */
  idle(): void {
    this.#since = undefined;
  }

  get assumedRttMs(): number {
    return this.#leastRttMs ?? ASSUMED_RTT_MS;
  }

  get assumedBytesPerSecond(): number {
    return this.bytesPerSecond ?? ASSUMED_BYTES_PER_SECOND;
  }

  /** How long these many bytes take to come, asked for now. */
  expectedMs(bytes: number): number {
    return this.assumedRttMs + (bytes / this.assumedBytesPerSecond) * 1000;
  }
}

function smooth(before: number | undefined, sample: number): number {
  return before === undefined ? sample : before + WEIGHT_OF_NEWEST * (sample - before);
}
