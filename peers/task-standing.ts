/**
 * What the task has seen of a neighbour lately, besides its meter: how long demanded blocks took, when it was last heard, whether it
 * stands still. Pure: the caller brings the clock.
 */

const WEIGHT_OF_NEWEST = 0.25;
/** A time that nobody has confirmed for so long counts half: a neighbour that was slow once is tried again. */
const HALF_LIFE_MS = 5000;
/** A neighbour that was beaten by a hedge is held to be this much slower than it had been waited for. */
const BEATEN_FACTOR = 2;
const DEMAND_MAX_MS = 10_000;
const SLACK_MIN_MS = 500;
const SLACK_MAX_MS = 8000;
const SUSPECT_EVERY_MS = 500;

export class Standing {
  /** When a byte last came, on the connection for demand and on the other. */
  readonly heardMs = { demand: 0, background: 0 };
  /** When a block last came, and when one on the connection for demand. */
  gaveMs = 0;
  blockMs = 0;
  #demandMs: number | undefined;
  #measuredMs = 0;
  #slackUntilMs = 0;
  #slackMs = 0;
  #suspectedMs = Number.NEGATIVE_INFINITY;

  /** How long a demanded block is expected to take; undefined: nothing known. */
  demandMs(nowMs: number): number | undefined {
    if (this.#demandMs === undefined) return undefined;
    return this.#demandMs * 0.5 ** ((nowMs - this.#measuredMs) / HALF_LIFE_MS);
  }

  demanded(ms: number, nowMs: number): void {
    const before = this.demandMs(nowMs);
    this.#set(before === undefined ? ms : before + WEIGHT_OF_NEWEST * (ms - before), nowMs);
  }

  /** Another neighbour, asked `waitedMs` later or not at all, was first. Each time in a row doubles what is expected. */
  beaten(waitedMs: number, nowMs: number): void {
    this.#set(BEATEN_FACTOR * Math.max(waitedMs, this.#demandMs ?? 0), nowMs);
  }

  #set(ms: number, nowMs: number): void {
    this.#demandMs = Math.min(ms, DEMAND_MAX_MS);
    this.#measuredMs = nowMs;
  }

  /** A call stood still, or an owner did not get what it was waited for: others are asked for a while, each time longer. */
  slackened(nowMs: number): void {
    if (this.isSlack(nowMs)) return;
    this.#slackMs = Math.min(Math.max(2 * this.#slackMs, SLACK_MIN_MS), SLACK_MAX_MS);
    this.#slackUntilMs = nowMs + this.#slackMs;
  }

  isSlack(nowMs: number): boolean {
    return nowMs < this.#slackUntilMs;
  }

  /** A block has come. */
  delivered(nowMs: number): void {
    this.gaveMs = nowMs;
    if (!this.isSlack(nowMs)) this.#slackMs = 0;
  }

  /** True when it is time to look whether a silent neighbour is still there: not all the time. */
  suspect(nowMs: number): boolean {
    if (nowMs - this.#suspectedMs < SUSPECT_EVERY_MS) return false;
    this.#suspectedMs = nowMs;
    return true;
  }
}
