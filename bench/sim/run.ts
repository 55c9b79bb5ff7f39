/**
 * One seed from beginning to end: work and faults for a while, then none, and the cluster must come to rest. Throws
 * `SimFailure`, which tells the seed and what was done last.
 */
import { calm, unleash } from './chaos.ts';
import { Violation } from './oracle.ts';
import { Random } from './random.ts';
import { comeToRest, type Rest } from './rest.ts';
import { type Sabotage, World } from './world.ts';

export interface RunOptions {
  seed: number;
  /** Drawn from the seed when not given. */
  nodes?: number | undefined;
  sabotage?: Sabotage | undefined;
}

export interface RunReport extends Rest {
  seed: number;
  /** Ever there. */
  nodes: number;
  replicas: number;
  virtualSeconds: number;
  events: number;
  /** On the wire, with all headers. */
  messages: number;
  bytes: number;
  /** How often a block was found placed. */
  placed: number;
  /** Copies that nodes have dropped. */
  dropped: number;
  asks: number;
  askedBlocks: number;
  repairBytes: number;
  demandBytes: number;
  ingestedBytes: number;
}

export class SimFailure extends Error {
  constructor(seed: number, what: string, notes: readonly string[]) {
    super(`seed ${seed}: ${what}\n  ${notes.join('\n  ')}`);
    this.name = 'SimFailure';
  }
}

const FAULTS_MIN_MS = 600_000;
const FAULTS_MAX_MS = 1_800_000;
const BETWEEN_MS = 12_000;
const MIN_NODES = 10;
const MAX_NODES = 40;

export async function runSeed({ seed, nodes, sabotage }: RunOptions): Promise<RunReport> {
  const random = new Random(seed, 3);
  const replicas = random.pick([1, 2, 2, 2, 3]);
  const drawn = random.whole(MIN_NODES, MAX_NODES + 1);
  const world = new World({ seed, nodes: nodes ?? drawn, replicas, sabotage });
  try {
    const faultsMs = random.between(FAULTS_MIN_MS, FAULTS_MAX_MS);
    unleash(world, faultsMs, BETWEEN_MS);
    await world.time.runUntil(faultsMs);
    calm(world);
    return reportOf(world, await comeToRest(world));
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new SimFailure(seed, error.message, world.notes);
  }
}

function reportOf(world: World, rest: Rest): RunReport {
  const { seed, replicas, nodes, time, network, oracle, counts } = world;
  return {
    ...rest,
    seed,
    nodes: nodes.length,
    replicas,
    virtualSeconds: Math.round(time.nowMs / 1000),
    events: time.events,
    messages: network.messages,
    bytes: network.bytes,
    placed: oracle.placed,
    dropped: oracle.dropped,
    asks: counts.asks,
    askedBlocks: counts.askedBlocks,
    repairBytes: counts.repair.bytes,
    demandBytes: counts.demand.bytes,
    ingestedBytes: counts.ingestedBytes,
  };
}
