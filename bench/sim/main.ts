/** The simulator's command line. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { MAX_MEMBERS } from '../../peers/placement/owners.ts';
import { type Jobs, type Result, runAll } from './jobs.ts';
import { SimFailure } from './run.ts';
import { lineOf, type Spent, Totals, textOf } from './summary.ts';

const TOLD_ONE_BY_ONE = 20;
const PROGRESS_EVERY_MS = 30_000;

const HELP = `Runs the placement of blocks and the directory (the code that a node runs) on simulated clusters under faults.

  node bench/sim/main.ts [--seeds N] [--seed S] [--nodes N | --nodes MIN-MAX] [--jobs N] [--json FILE]

  --seeds N    how many runs, each with the next seed (default 20)
  --seed S     the first seed (default: by chance); a run follows from its seed and --nodes alone
  --nodes ...  nodes at the beginning of each run, 5 to ${MAX_MEMBERS}; of a range, by the seed (default: 10-12)
  --jobs N     runs at the same time, each in a thread of its own (default 1)
  --json FILE  writes what was measured

Up to ${TOLD_ONE_BY_ONE} runs are told one by one, of more what they come to so far, now and then. Ends with status 1 at the first run that
shows something that must not be, and prints its seed and what was done last. To see it again:
  node bench/sim/main.ts --seed S --seeds 1 [--nodes as before]
`;

class UsageError extends Error {}

function wholeNumber(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min)
    throw new UsageError(`--${name} ${text}: not a whole number from ${min}`);
  if (value > max) throw new UsageError(`--${name} ${text}: at most ${max}`);
  return value;
}

/** A node takes no more members. */
function nodesRange(text: string): [number, number] {
  const [min = '', max = min] = text.split('-');
  const count = (part: string) => wholeNumber('nodes', part, 5, MAX_MEMBERS);
  const range: [number, number] = [count(min), count(max)];
  if (range[1] < range[0]) throw new UsageError(`--nodes ${text}: the second is smaller than the first`);
  return range;
}

async function run(jobs: Jobs): Promise<{ totals: Totals; results: Result[] }> {
  const totals = new Totals();
  const results: Result[] = [];
  const progress = setInterval(() => console.log(textOf(totals.summary(spent()))), PROGRESS_EVERY_MS);
  try {
    await runAll(jobs, (result) => {
      totals.add(result);
      results.push(result);
      if (jobs.count <= TOLD_ONE_BY_ONE) console.log(lineOf(result));
    });
  } catch (error) {
    console.log(`after ${textOf(totals.summary(spent()))}`);
    throw error;
  } finally {
    clearInterval(progress);
  }
  return { totals, results };
}

function spent(): Spent {
  const { user, system } = process.cpuUsage();
  return { wallSeconds: performance.now() / 1000, cpuSeconds: (user + system) / 1e6 };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      nodes: { type: 'string', default: '10-12' },
      jobs: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const first = wholeNumber('seed', values.seed, 0);
  const count = wholeNumber('seeds', values.seeds, 1);
  const nodes = nodesRange(values.nodes);
  console.log(`seeds from ${first}`);
  const { totals, results } = await run({ first, count, nodes, jobs: wholeNumber('jobs', values.jobs, 1) });
  const summary = totals.summary(spent());
  console.log(`${textOf(summary)}; nothing that must not be`);
  if (values.json !== undefined) await writeFile(values.json, jsonOf(summary, results));
}

/** A run a line. */
function jsonOf(summary: object, results: readonly Result[]): string {
  const runs = results.map(({ report, ...spent }) => JSON.stringify({ ...report, ...spent }));
  return `{"summary": ${JSON.stringify(summary)},\n"runs": [\n${runs.join(',\n')}\n]}\n`;
}

main().catch((error: unknown) => {
  console.error(error instanceof SimFailure || error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
});
