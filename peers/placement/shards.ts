/**
 * Where a block belongs, in numbers: block ids map to shards, and each pair of member and shard has a *cost*; the members
 * with the lowest costs own the shard. A member's cost is a draw from an exponential distribution whose rate is its weight
 * (-ln(u) / w, the weighted rendezvous score turned upside down), so a member wins a shard with a chance in proportion to
 * its weight, and another member's coming or going changes no cost but its own.
 *
 * Every node must get the same owners, to the last bit. So nothing here is left to the machine: ECMAScript defines
 * `Math.imul`, the shifts and + - * / on doubles exactly (IEEE 754, round to nearest, no fused operations, no wider
 * intermediate results), and those are all that is used (with `Math.LN2` and `Math.SQRT2`, which are fixed numbers). `Math.log` is not: its last bits may differ between engines and
 * processors. `minusLn` is a fixed series instead. It need not be exact, only the same everywhere; it is right to 8 digits.
 *
 * 16,384 shards: a member's share of them varies by itself by sqrt(members / (shards * replicas)), which is 5.5% for 100 members and
 * two replicas (4,096 shards: 11%), less than a disk's slack. The table of owners takes 64 KiB then. More shards
 * would cost more at each change of membership and gain little: the blocks of a shard vary too.
 */
import { hash } from 'node:crypto';
import type { BlockId } from '../../blocks/types.ts';

export const SHARDS = 16_384;

/** The first 14 bits of the id, which is a hash: even by itself. The id is one that was checked at the boundary. */
export function shardOf(id: BlockId): number {
  return (nibble(id, 0) << 10) | (nibble(id, 1) << 6) | (nibble(id, 2) << 2) | (nibble(id, 3) >> 2);
}

function nibble(id: string, at: number): number {
  const code = id.charCodeAt(at);
  return code <= 57 ? code - 48 : code - 87;
}

/** 64 bits that stand for a member's name. */
export interface Seed {
  readonly high: number;
  readonly low: number;
}

export function seedOf(name: string): Seed {
  const digest = hash('sha256', `forage placement 1\n${name}`, 'buffer');
  return { high: digest.readInt32LE(0), low: digest.readInt32LE(4) };
}

/** Written out: a power whose exponent is not constant is one of the things that ECMAScript leaves to the machine. */
const TWO_20 = 0x100000;
const TWO_32 = 0x100000000;
const TWO_52 = 0x10000000000000;

/** A draw for a member (its seed's halves) and a shard: 2^-32 <= u < 1, and never 1. 52 bits of a 64-bit mix of both. */
export function draw(high: number, low: number, shard: number): number {
  const a = mix32(high ^ Math.imul(shard + 1, 0x9e3779b1));
  const b = mix32((low + a) ^ Math.imul(shard + 1, 0x85ebca77));
  const c = mix32(a ^ Math.imul(b, 0xc2b2ae3d)) >>> 0;
  return ((c === 0 ? 1 : c) * TWO_20 + (b >>> 12) + 0.5) / TWO_52;
}

/** A bijection of 32 bits in which each bit of the input turns over each of the output with a chance of one half. */
function mix32(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

/** -ln(u) for 2^-32 <= u < 1: u = m / 2^e with m between sqrt(1/2) and sqrt(2), and ln(m) = 2 atanh((m - 1) / (m + 1)). */
export function minusLn(u: number): number {
  const zeros = Math.clz32(u * TWO_32);
  const doubled = (u * TWO_32) / ((1 << (31 - zeros)) >>> 0);
  const isHigh = doubled > Math.SQRT2;
  const m = isHigh ? doubled / 2 : doubled;
  const e = isHigh ? zeros : zeros + 1;
  const s = (m - 1) / (m + 1);
  const q = s * s;
  return e * Math.LN2 - 2 * s * (1 + q * (1 / 3 + q * (1 / 5 + q * (1 / 7 + q / 9))));
}
