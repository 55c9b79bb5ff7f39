/**
 * Names in the log who was refused and why; one that tries again and again is named every ten seconds. What is remembered is
 * bounded: beyond that, nothing is logged.
 */
import type { Clock } from './clock.ts';
import type { Log } from './types.ts';

const NAME_EVERY_MS = 10_000;
const MAX_REMEMBERED = 256;

/** `peer`: an address, or a name where there is one. */
export type Refusals = (peer: string, reason: string) => void;

export function refusals(log: Log, clock: Pick<Clock, 'now'>): Refusals {
  const namedMs = new Map<string, number>();
  return (peer, reason) => {
    const nowMs = clock.now();
    for (const [key, atMs] of namedMs) if (nowMs - atMs > NAME_EVERY_MS) namedMs.delete(key);
    const key = `${peer} ${reason}`;
    if (namedMs.has(key) || namedMs.size >= MAX_REMEMBERED) return;
    namedMs.set(key, nowMs);
    log.warn({ peer, reason }, 'a peer was refused');
  };
}
