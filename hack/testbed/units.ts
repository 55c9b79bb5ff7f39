/** Rates and times as users write them. */
import { UserError } from './run.ts';

const scale: Record<string, number> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** "100mbit" to bits a second, as tc understands it. */
export function parseRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(bit|kbit|mbit|gbit)$/.exec(text);
  const bits = match ? Math.round(Number(match[1]) * scale[match[2]!]!) : 0;
  if (bits >= 8000 && bits <= 100e9) return bits;
  throw new UserError(`"${text}" is no rate: write 100mbit or 1gbit (from 8kbit to 100gbit)`);
}

/** "20" or "2.5" milliseconds. */
export function parseMs(text: string): number {
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (ms <= 2000) return ms;
  throw new UserError(`"${text}" is no round-trip time: write milliseconds, from 0 to 2000`);
}

/** 100000000 to "100mbit". */
export function formatRate(bits: number): string {
  const unit = (['gbit', 'mbit', 'kbit'] as const).find((name) => bits % scale[name]! === 0) ?? 'bit';
  return `${bits / scale[unit]!}${unit}`;
}

export interface Shape {
  rateBits: number;
  /** What may leave at once: at least one segmentation-offload packet, or tbf would cut all of them up. */
  burstBytes: number;
  /** Queue before packets are dropped: 50 ms, like a modest router. */
  queueBytes: number;
}

export function shapeOf(rateBits: number): Shape {
  const bytesPerMs = rateBits / 8000;
  const burstBytes = Math.max(128 * 1024, Math.round(2 * bytesPerMs));
  return { rateBits, burstBytes, queueBytes: burstBytes + Math.round(50 * bytesPerMs) };
}
