/**
 * Who owns which shard, as one view of the membership has it: for each shard the `replicas` members with the lowest cost
 * (see shards.ts), best first; all of them where there are fewer. Immutable; the same for the same members in any order.
 *
 * `next` makes the table for a changed membership from this one, and gives what `of` would give: who has come is measured
 * against the last owner of each shard, and only shards that have lost an owner are drawn anew. With 100 members
 * one coming or going takes 2 to 5 ms, a table from nothing some 40 ms.
 *
 * Equal costs go to the name that sorts first (by UTF-16 code units, as `<` has it: no locale).
 */
import { draw, minusLn, type Seed, SHARDS, seedOf } from './shards.ts';

/** Who may own: the roster takes out those that have left or are gone, and keeps those that it merely suspects. */
export interface Member {
  name: string;
  /** Its weight. What the member itself announces, so that all nodes have the same number. */
  capacityBytes: number;
}

/** As many as membership takes, and this node itself. */
export const MAX_MEMBERS = 4097;
export const MAX_REPLICAS = 16;

interface Candidate extends Member {
  readonly seed: Seed;
}

/** A bound that a draw cannot beat is known without its logarithm, since -ln(u) > 1 - u; this is for rounding. */
const MARGIN = 1 - 1e-6;

export class Owners {
  /** In the order of their names. */
  readonly members: readonly Member[];
  readonly replicas: number;
  readonly #members: readonly Candidate[];
  readonly #indexes: ReadonlyMap<string, number>;
  /** Owners of a shard: the smaller of `replicas` and the members there are. */
  readonly #width: number;
  /** For each shard `#width` indexes into `#members`. */
  readonly #slots: Uint16Array;

  private constructor(members: readonly Candidate[], replicas: number, slots: Uint16Array) {
    this.members = members;
    this.replicas = replicas;
    this.#members = members;
    this.#indexes = new Map(members.map(({ name }, i) => [name, i]));
    this.#width = Math.min(replicas, members.length);
    this.#slots = slots;
  }

  static of(members: Iterable<Member>, replicas: number): Owners {
    if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS) {
      throw new RangeError(`${replicas} replicas: must be 1 to ${MAX_REPLICAS}`);
    }
    const candidates = checked(members, new Map());
    return new Owners(candidates, replicas, drawAll(candidates, replicas));
  }

  /** The owners of a shard by name, best first. */
  of(shard: number): readonly string[] {
    const owners: string[] = [];
    for (let i = 0; i < this.#width; i++) {
      owners.push(this.#members[this.#slots[shard * this.#width + i]!]!.name);
    }
    return owners;
  }

  /** 1 for each shard that the member owns. */
  ownedBy(name: string): Uint8Array {
    const owned = new Uint8Array(SHARDS);
    const index = this.#indexes.get(name);
    if (index === undefined) return owned;
    const slots = this.#slots;
    const width = this.#width;
    for (let shard = 0, at = 0; shard < SHARDS; shard++) {
      for (const end = at + width; at < end; at++) if (slots[at] === index) owned[shard] = 1;
    }
    return owned;
  }

  /** The table for these members. */
  next(members: Iterable<Member>): Owners {
    const known = new Map(this.#members.map((member) => [member.name, member]));
    const candidates = checked(members, known);
    const indexes = new Map(candidates.map(({ name }, i) => [name, i]));
    const moved = this.#members.map((member) => {
      const index = indexes.get(member.name);
      return index !== undefined && candidates[index] === member ? index : -1;
    });
    const stayed = new Set(moved);
    const come = [...candidates.keys()].filter((index) => !stayed.has(index));
    const isWhole = Math.min(this.replicas, candidates.length) === this.#width && this.#width > 0;
    if (!isWhole) return new Owners(candidates, this.replicas, drawAll(candidates, this.replicas));
    if (come.length === 0 && candidates.length === this.#members.length) return this;
    return new Owners(candidates, this.replicas, this.#change(candidates, moved, come));
  }

  #change(candidates: readonly Candidate[], moved: readonly number[], come: readonly number[]): Uint16Array {
    const width = this.#width;
    const slots = new Uint16Array(this.#slots.length);
    const race = new Race(candidates, width);
    for (let shard = 0; shard < SHARDS; shard++) {
      race.start(shard);
      let isLost = false;
      for (let at = shard * width; at < (shard + 1) * width; at++) {
        const index = moved[this.#slots[at]!]!;
        if (index < 0) isLost = true;
        else race.enter(index);
      }
      if (isLost) race.enterAll();
      else for (const index of come) race.enter(index);
      race.finish(slots);
    }
    return slots;
  }
}

/** Checks the members and sorts them; takes over those of `known` that have not changed. */
function checked(members: Iterable<Member>, known: ReadonlyMap<string, Candidate>): Candidate[] {
  const byName = new Map<string, Candidate>();
  for (const { name, capacityBytes } of members) {
    if (byName.has(name)) throw new RangeError(`member ${JSON.stringify(name)} is listed twice`);
    if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 1) {
      throw new RangeError(`capacity of member ${JSON.stringify(name)}: ${capacityBytes} bytes`);
    }
    const before = known.get(name);
    const isSame = before?.capacityBytes === capacityBytes;
    byName.set(name, isSame ? before : { name, capacityBytes, seed: before?.seed ?? seedOf(name) });
  }
  if (byName.size > MAX_MEMBERS) throw new RangeError(`${byName.size} members: at most ${MAX_MEMBERS}`);
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function drawAll(candidates: readonly Candidate[], replicas: number): Uint16Array {
  const width = Math.min(replicas, candidates.length);
  const slots = new Uint16Array(SHARDS * width);
  if (candidates.length === 1) return slots;
  const race = new Race(candidates, width);
  for (let shard = 0; shard < SHARDS; shard++) {
    race.start(shard);
    race.enterAll();
    race.finish(slots);
  }
  return slots;
}

/**
 * The contest for one shard at a time: keeps the best `width` of those that enter, in any order, each any number of times.
 * The innermost loop of a million draws: typed arrays and plain loops, which is four times as fast as their methods.
 */
class Race {
  readonly #count: number;
  readonly #high: Int32Array;
  readonly #low: Int32Array;
  readonly #weights: Float64Array;
  readonly #width: number;
  readonly #costs: Float64Array;
  readonly #indexes: Int32Array;
  #shard = 0;

  constructor(candidates: readonly Candidate[], width: number) {
    this.#count = candidates.length;
    this.#high = Int32Array.from(candidates, ({ seed }) => seed.high);
    this.#low = Int32Array.from(candidates, ({ seed }) => seed.low);
    this.#weights = Float64Array.from(candidates, ({ capacityBytes }) => capacityBytes);
    this.#width = width;
    this.#costs = new Float64Array(width);
    this.#indexes = new Int32Array(width);
  }

  start(shard: number): void {
    this.#shard = shard;
    for (let i = 0; i < this.#width; i++) {
      this.#costs[i] = Number.POSITIVE_INFINITY;
      this.#indexes[i] = this.#count;
    }
  }

  enterAll(): void {
    for (let index = 0; index < this.#count; index++) this.enter(index);
  }

  enter(index: number): void {
    const weight = this.#weights[index]!;
    const u = draw(this.#high[index]!, this.#low[index]!, this.#shard);
    if ((1 - u) * MARGIN > this.#costs[this.#width - 1]! * weight) return;
    this.#place(index, minusLn(u) / weight);
  }

  #place(index: number, cost: number): void {
    const costs = this.#costs;
    const indexes = this.#indexes;
    let at = 0;
    while (at < this.#width && (costs[at]! < cost || (costs[at] === cost && indexes[at]! < index))) at++;
    if (at === this.#width || indexes[at] === index) return;
    for (let i = this.#width - 1; i > at; i--) {
      costs[i] = costs[i - 1]!;
      indexes[i] = indexes[i - 1]!;
    }
    costs[at] = cost;
    indexes[at] = index;
  }

  finish(slots: Uint16Array): void {
    const start = this.#shard * this.#width;
    for (let i = 0; i < this.#width; i++) slots[start + i] = this.#indexes[i]!;
  }
}
