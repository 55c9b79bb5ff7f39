/** Runs many seeds, several at once: each thread takes the next seed when it is done with one. This file is also what a thread runs. */
import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type RunReport, runSeed, SimFailure } from './run.ts';

export interface Jobs {
  first: number;
  count: number;
  /** How many nodes, from and to: by the seed. */
  nodes: readonly [number, number];
  jobs: number;
}

export interface Result {
  report: RunReport;
  seconds: number;
  /** Of the thread that ran it, without the engine's helpers. */
  cpuSeconds: number;
}

type Told = Result | { failure: string };

/** Most of what a run makes is of no use a moment later: a larger space for what is new is collected more rarely. */
const resourceLimits = { maxYoungGenerationSizeMb: 192 };

/** Tells of each run as it ends. Rejects with the first SimFailure, and ends the others then. */
export async function runAll(
  { first, count, nodes, jobs }: Jobs,
  done: (result: Result) => void,
): Promise<void> {
  const seeds = Array.from({ length: count }, (_, i) => first + i).values();
  const workers: Worker[] = [];
  const work = async () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { nodes }, resourceLimits });
    workers.push(worker);
    for (const seed of seeds) {
      const told = await ask(worker, seed);
      if ('failure' in told) throw new SimFailure(told.failure);
      done(told);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(jobs, count) }, work));
  } finally {
    for (const worker of workers) await worker.terminate();
  }
}

async function ask(worker: Worker, seed: number): Promise<Told> {
  worker.postMessage(seed);
  const [told] = await once(worker, 'message');
  return told as Told;
}

async function tell(seed: number, nodes: Jobs['nodes']): Promise<Told> {
  const startMs = performance.now();
  const before = process.threadCpuUsage();
  try {
    const report = await runSeed({ seed, nodes });
    const { user, system } = process.threadCpuUsage(before);
    return { report, seconds: (performance.now() - startMs) / 1000, cpuSeconds: (user + system) / 1e6 };
  } catch (error) {
    if (!(error instanceof SimFailure)) throw error;
    return { failure: error.message };
  }
}

if (!isMainThread) {
  const { nodes } = workerData as Pick<Jobs, 'nodes'>;
  parentPort!.on('message', async (seed: number) => parentPort!.postMessage(await tell(seed, nodes)));
}
