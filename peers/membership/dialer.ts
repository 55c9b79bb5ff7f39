/**
 * Whom to dial, and when again. The configured addresses (whoever answers there), the members and what multicast DNS has found
 * are dialled until they are connected, for ever, and less and less often: a cluster that was split has to become one again.
 * Sockets live elsewhere (host.ts); which of the targets are due is a function of plain data.
 */
import type { Clock } from '../clock.ts';
import { DIAL_EVERY_MS, MAX_DIALS_AT_ONCE, REDIAL_FIRST_MS, REDIAL_MAX_MS } from './limits.ts';

export interface Target {
  /** What to dial: `host:port`. */
  address: string;
  /** Who is expected there; undefined for a configured address. */
  peerId?: string | undefined;
  /** Not before this time. */
  fromMs: number;
  /** A member that is alive is only one more connection; another target may be the way to the other half of a split cluster. */
  isAlive: boolean;
}

/** What became of dialling a target. */
interface Attempt {
  failures: number;
  notBeforeMs: number;
  isDialling: boolean;
  /** Who answered. */
  peerId: string | undefined;
}

/**
 * Those to dial now: configured addresses first; of the living `room`, by chance, so that a large cluster's connections make
 * one mesh; then the lost, who leave half of the dials free, since most of theirs wait for nobody.
 */
export function due(
  targets: readonly Target[],
  attempts: ReadonlyMap<string, Attempt>,
  isConnected: (peerId: string) => boolean,
  now: { nowMs: number; room: number; dialling: number; random: () => number },
): Target[] {
  const dialled = new Set(
    [...attempts.values()].filter(({ isDialling }) => isDialling).map(({ peerId }) => peerId),
  );
  const ready = targets.filter((target) => {
    const attempt = attempts.get(keyOf(target));
    const peerId = target.peerId ?? attempt?.peerId;
    if (peerId !== undefined && (isConnected(peerId) || dialled.has(peerId))) return false;
    return now.nowMs >= target.fromMs && !attempt?.isDialling && now.nowMs >= (attempt?.notBeforeMs ?? 0);
  });
  const some = (wanted: Target[], count: number) => shuffled(wanted, now.random).slice(0, Math.max(0, count));
  const free = MAX_DIALS_AT_ONCE - now.dialling;
  const configured = some(
    ready.filter(({ isAlive, peerId }) => !isAlive && peerId === undefined),
    free,
  );
  const living = some(
    ready.filter(({ isAlive }) => isAlive),
    Math.min(now.room, free - configured.length),
  );
  const taken = configured.length + living.length;
  const lost = some(
    ready.filter(({ isAlive, peerId }) => !isAlive && peerId !== undefined),
    MAX_DIALS_AT_ONCE / 2 - now.dialling - taken,
  );
  return oneEach([...configured, ...living, ...lost], attempts);
}

/** A node that several addresses are known of is dialled at one of them at a time. */
function oneEach(targets: Target[], attempts: ReadonlyMap<string, Attempt>): Target[] {
  const chosen = new Set<string>();
  return targets.filter((target) => {
    const peerId = target.peerId ?? attempts.get(keyOf(target))?.peerId ?? keyOf(target);
    return !chosen.has(peerId) && chosen.add(peerId);
  });
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const ranked = items.map((item) => ({ item, rank: random() }));
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** Doubles, and scatters by half, so that those who lost each other at once do not all come back at once. */
export function redialAfterMs(failures: number, random: number): number {
  return Math.min(REDIAL_MAX_MS, REDIAL_FIRST_MS * 2 ** Math.min(failures, 16)) * (0.5 + random / 2);
}

function keyOf({ address, peerId = '' }: Pick<Target, 'address' | 'peerId'>): string {
  return `${peerId} ${address}`;
}

export interface DialerOptions {
  /** `answered` tells who has answered at a configured address. */
  targets: (answered: (address: string) => string | undefined) => readonly Target[];
  isConnected: (peerId: string) => boolean;
  /** How many more connections are wanted. */
  room: () => number;
  /** Answers who is there. */
  dial: (target: Target) => Promise<string>;
  clock: Clock;
}

export class Dialer {
  readonly #options: DialerOptions;
  readonly #attempts = new Map<string, Attempt>();
  #cancel: () => void;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#cancel = options.clock.after(0, () => this.#tick());
  }

  stop(): void {
    this.#cancel();
  }

  #tick(): void {
    const { targets, isConnected, room, clock } = this.#options;
    const all = targets((address) => this.#attempts.get(keyOf({ address }))?.peerId);
    const keys = new Set(all.map(keyOf));
    for (const [key, { isDialling }] of this.#attempts)
      if (!isDialling && !keys.has(key)) this.#attempts.delete(key);
    const dialling = [...this.#attempts.values()].filter(({ isDialling }) => isDialling).length;
    const now = { nowMs: clock.now(), room: room(), dialling, random: clock.random };
    for (const target of due(all, this.#attempts, isConnected, now)) void this.#dial(target);
    this.#cancel = clock.after(DIAL_EVERY_MS * (0.5 + clock.random()), () => this.#tick());
  }

  async #dial(target: Target): Promise<void> {
    const { dial, clock } = this.#options;
    const key = keyOf(target);
    const attempt = this.#attempts.get(key) ?? {
      failures: 0,
      notBeforeMs: 0,
      isDialling: false,
      peerId: target.peerId,
    };
    this.#attempts.set(key, attempt);
    attempt.isDialling = true;
    try {
      attempt.peerId = await dial(target);
      attempt.failures = 0;
    } catch {
      attempt.failures++;
    }
    attempt.isDialling = false;
    attempt.notBeforeMs = clock.now() + redialAfterMs(attempt.failures, clock.random());
  }
}
