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
  /** From and to, drawn from the seed; or just so many. */
  nodes?: readonly [number, number] | number;
  sabotage?: Sabotage | undefined;
}

export interface RunReport extends Rest {
  seed: number;
  /** Ever there. */
  nodes: number;
  replicas: number;
  virtualSeconds: number;
  events: number;
  faults: number;
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
  constructor(message: string) {
    super(message);
    this.name = 'SimFailure';
  }
}

const FAULTS_MIN_MS = 240_000;
const FAULTS_MAX_MS = 600_000;
const BETWEEN_MS = 8000;
const NODES = [10, 12] as const;

export async function runSeed({ seed, nodes = NODES, sabotage }: RunOptions): Promise<RunReport> {
  const random = new Random(seed, 3);
  const replicas = random.pick([1, 2, 2, 2, 3]);
  const [min, max] = typeof nodes === 'number' ? [nodes, nodes] : nodes;
  const world = new World({ seed, nodes: random.whole(min, max + 1), replicas, sabotage });
  try {
    const faultsMs = random.between(FAULTS_MIN_MS, FAULTS_MAX_MS);
    unleash(world, faultsMs, BETWEEN_MS);
    await world.time.runUntil(faultsMs);
    calm(world);
    return reportOf(world, await comeToRest(world));
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new SimFailure(`seed ${seed}: ${error.message}\n  ${world.notes.join('\n  ')}`);
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
    faults: counts.faults,
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
