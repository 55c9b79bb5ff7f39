/**
 * The plan: which blocks to ask of which neighbour, now. Pure: plain data in, requests out; sockets and clocks are
 * elsewhere.
 *
 * - Demand before prefetch before completion before repair. A class is served only from what the one before has left.
 * - What is on the way from a neighbour is bounded by its window (`windowBytes`): its rate times its round trip and a
 *   little more. So the link stays full, and a demand never stands behind more than that little.
 * - A block goes to whoever is expected to deliver it first, counting what is already on the way; so near and fast
 *   neighbours are asked first, and the others as soon as those are full: several sources at once.
 * - Demand goes out in small requests, so that the first block is not held up by the tenth; the rest in large ones. What a source may
 *   hold until it has it goes apart from what it has, in small requests too: one block that is late holds few up.
 * - For demand, what blocks have lately taken from a source counts for more than what its round trip and rate promise.
 */
import type { Priority } from './types.ts';

/** Best first. */
export const PRIORITIES: readonly Priority[] = ['demand', 'prefetch', 'completion', 'repair'];

/** A neighbour that is up, and what is on the way from it. */
export interface Source {
  rttMs: number;
  bytesPerSecond: number;
  inFlight: { demand: number; background: number };
  calls: number;
  /** It has sent something wrong lately: only if nobody else can be asked. */
  penalized: boolean;
  /** How long demanded blocks have lately taken from it; undefined: not known. */
  demandMs?: number | undefined;
}

/** What a source says to a block: has it, gets it right now and holds its answer until then, may have it, or is not to be asked (now). */
export type Chance = 'has' | 'soon' | 'maybe' | 'no';

export interface Request<W, S> {
  source: S;
  priority: Priority;
  /** The source may hold its answers: it is fetching these blocks itself (`soon`). */
  mayWait: boolean;
  wants: W[];
}

export interface Problem<W, S extends Source> {
  /** In the order of asking, by priority. */
  wanted: Record<Priority, Iterable<W>>;
  sources: readonly S[];
  chance(want: W, source: S): Chance;
  /** Expected length of a block. */
  blockBytes: number;
  /** How fast bytes have lately come in from all sources together; undefined: no bound on what comes from all. */
  bytesPerSecond?: number | undefined;
}

const MIB = 1 << 20;
const WINDOW_MIN_BYTES = MIB;
const WINDOW_MAX_BYTES = 8 * MIB;
/**
 * How long a demand may have to stand behind what is already on the way. Also what the path may take longer than its round
 * trip at rest (a busy processor, a radio) before the window, and with it the rate, begins to shrink.
 */
const QUEUE_MS = 100;
const WHOLE_QUEUE_MS = 300;
const WHOLE_WINDOW_MIN_BYTES = MIB;
const DEMAND_BATCH = 4;
const BACKGROUND_BATCH = 64;
const WAITING_BATCH = 8;
/** A background request is made when this part of the window is free: few large requests, and never none on the way. */
const BACKGROUND_SHARE = 1 / 4;
export const MAX_CALLS_PER_SOURCE = 24;
const PENALTY_MS = 10_000;

/** Bytes that may be on the way from a source at once. */
export function windowBytes({ rttMs, bytesPerSecond }: Pick<Source, 'rttMs' | 'bytesPerSecond'>): number {
  const bytes = (bytesPerSecond * (rttMs + QUEUE_MS)) / 1000;
  return Math.min(Math.max(bytes, WINDOW_MIN_BYTES), WINDOW_MAX_BYTES);
}

/**
 * Bytes that may be on the way from all sources together before nothing but demand is asked for. They share this node's own link: many
 * sources, each with its window full, would fill its queue with seconds of bytes, behind which every answer and sign of life stands.
 */
export function wholeWindowBytes(bytesPerSecond: number): number {
  return Math.max((bytesPerSecond * WHOLE_QUEUE_MS) / 1000, WHOLE_WINDOW_MIN_BYTES);
}

/** A source while a plan is made: what the plan itself adds is counted at once. */
class Load<W, S extends Source> {
  readonly source: S;
  readonly #windowBytes: number;
  #demand: number;
  #background: number;
  #calls: number;
  /** The requests that are being filled: of what it has, and of what it may hold. */
  readonly #open = new Map<boolean, Request<W, S>>();

  constructor(source: S) {
    this.source = source;
    this.#windowBytes = windowBytes(source);
    this.#demand = source.inFlight.demand;
    this.#background = source.inFlight.background;
    this.#calls = source.calls;
  }

  hasRoom(priority: Priority): boolean {
    const joins =
      this.#unfilled(priority, false) !== undefined || this.#unfilled(priority, true) !== undefined;
    if (!joins && this.#calls >= MAX_CALLS_PER_SOURCE) return false;
    if (priority === 'demand') return this.#demand < this.#windowBytes;
    const free = this.#windowBytes - this.#demand - this.#background;
    return free > (joins ? 0 : this.#windowBytes * BACKGROUND_SHARE);
  }

  /** The request that is being filled, if the next want of this priority may join it. */
  #unfilled(priority: Priority, mayWait: boolean): Request<W, S> | undefined {
    const open = this.#open.get(mayWait);
    return open?.priority === priority && open.wants.length < batchOf(priority, mayWait) ? open : undefined;
  }

  /** When a block asked for now would be here. */
  expectedMs(priority: Priority, blockBytes: number, chance: Chance): number {
    const { rttMs, bytesPerSecond, penalized, demandMs } = this.source;
    const promisedMs = rttMs + (blockBytes / bytesPerSecond) * 1000;
    const aloneMs = priority === 'demand' ? (demandMs ?? promisedMs) : promisedMs;
    const queuedMs = ((this.#demand + this.#background) / bytesPerSecond) * 1000;
    const missMs = chance === 'maybe' ? rttMs : 0;
    return aloneMs + queuedMs + missMs + (penalized ? PENALTY_MS : 0);
  }

  /** Adds the want to the request that is being filled; answers it when it is a new one. */
  add(want: W, priority: Priority, mayWait: boolean, blockBytes: number): Request<W, S> | undefined {
    if (priority === 'demand') this.#demand += blockBytes;
    else this.#background += blockBytes;
    const unfilled = this.#unfilled(priority, mayWait);
    if (unfilled) {
      unfilled.wants.push(want);
      return undefined;
    }
    const request = { source: this.source, priority, mayWait, wants: [want] };
    this.#open.set(mayWait, request);
    this.#calls++;
    return request;
  }
}

function batchOf(priority: Priority, mayWait: boolean): number {
  if (priority === 'demand') return DEMAND_BATCH;
  return mayWait ? WAITING_BATCH : BACKGROUND_BATCH;
}

/** The requests to make now. A want that is in none of them waits for room, or for somebody who has it. */
export function plan<W, S extends Source>(problem: Problem<W, S>): Request<W, S>[] {
  const { wanted, sources, chance, blockBytes } = problem;
  const loads = sources.map((source) => new Load<W, S>(source));
  const { bytesPerSecond = Number.POSITIVE_INFINITY } = problem;
  const most = wholeWindowBytes(bytesPerSecond);
  let onTheWay = sources.reduce((sum, { inFlight }) => sum + inFlight.demand + inFlight.background, 0);
  const requests: Request<W, S>[] = [];
  for (const priority of PRIORITIES) {
    for (const want of wanted[priority]) {
      if (priority !== 'demand' && onTheWay >= most) break;
      const free = loads.filter((load) => load.hasRoom(priority));
      if (free.length === 0) break;
      const best = soonest(free, priority, blockBytes, (load) => chance(want, load.source));
      if (!best) continue;
      const request = best.load.add(want, priority, best.chance === 'soon', blockBytes);
      onTheWay += blockBytes;
      if (request) requests.push(request);
    }
  }
  return requests;
}

/** Who is expected to deliver first, and what it says to the block; undefined when nobody is to be asked. */
function soonest<W, S extends Source>(
  loads: readonly Load<W, S>[],
  priority: Priority,
  blockBytes: number,
  chanceOf: (load: Load<W, S>) => Chance,
): { load: Load<W, S>; chance: Chance } | undefined {
  let best: { load: Load<W, S>; chance: Chance } | undefined;
  let leastMs = Number.POSITIVE_INFINITY;
  for (const load of loads) {
    const chance = chanceOf(load);
    if (chance === 'no') continue;
    const expectedMs = load.expectedMs(priority, blockBytes, chance);
    if (expectedMs >= leastMs) continue;
    leastMs = expectedMs;
    best = { load, chance };
  }
  return best;
}
