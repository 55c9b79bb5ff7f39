/** The simulator's command line. */
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { runAll } from './jobs.ts';
import { type RunReport, SimFailure } from './run.ts';

const HELP = `Runs the placement of blocks and the directory (the code that a node runs) on simulated clusters under faults.

  node bench/sim/main.ts [--seeds N] [--seed S] [--nodes N | --nodes MIN-MAX] [--jobs N] [--json FILE]

  --seeds N    how many runs, each with the next seed (default 20)
  --seed S     the first seed (default: by chance); a run follows from its seed and --nodes alone
  --nodes ...  nodes at the beginning of each run; of a range, by the seed (default: 10-40)
  --jobs N     runs at the same time, each in a thread of its own (default 1)
  --json FILE  writes what was measured

Ends with status 1 at the first run that shows something that must not be, and prints its seed and what was done last. To
see it again:
  node bench/sim/main.ts --seed S --seeds 1 [--nodes as before]
`;

const MIB = 1 << 20;

class UsageError extends Error {}

function wholeNumber(name: string, text: string, min: number): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < min)
    throw new UsageError(`--${name} ${text}: not a whole number from ${min}`);
  return value;
}

function nodesRange(text: string): [number, number] {
  const [min = '', max = min] = text.split('-');
  const range: [number, number] = [wholeNumber('nodes', min, 5), wholeNumber('nodes', max, 5)];
  if (range[1] < range[0]) throw new UsageError(`--nodes ${text}: the second is smaller than the first`);
  return range;
}

function line({ report, seconds }: { report: RunReport; seconds: number }): string {
  const perByte = (bytes: number) => (bytes / report.ingestedBytes).toFixed(2);
  const nodeSeconds = (report.nodes * report.virtualSeconds) / seconds;
  return [
    `seed ${report.seed}: ${report.nodes} nodes, ${report.replicas} replicas`,
    `${report.blocks} blocks, ${report.lost} lost with their owners`,
    `moved per byte ingested ${perByte(report.repairBytes)}`,
    `fullest node ${report.maxLoad.toFixed(2)}`,
    `${report.asks} questions of ${report.askedBlocks} blocks`,
    `${report.virtualSeconds} s in ${seconds.toFixed(1)} s (${Math.round(nodeSeconds)} node seconds a second)`,
  ].join('; ');
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '20' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
      nodes: { type: 'string', default: '10-40' },
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
  const reports: RunReport[] = [];
  await runAll({ first, count, nodes, jobs: wholeNumber('jobs', values.jobs, 1) }, (result) => {
    reports.push(result.report);
    console.log(line(result));
  });
  const moved = reports.reduce((sum, { repairBytes }) => sum + repairBytes, 0);
  console.log(`${count} runs, ${Math.round(moved / MIB)} MiB moved, nothing that must not be`);
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(reports, undefined, 2)}\n`);
}

main().catch((error: unknown) => {
  console.error(error instanceof SimFailure || error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
});
