/**
 * Many nodes start one image at once from the one node that has it, as in bench/swarm.ts, but at full size: the code of the nodes is real, the
 * clock and the network are not, so what is measured is protocol and scheduler and not how many nodes two cores can carry.
 */
import { parseArgs } from 'node:util';
import { MAX_REPLICAS } from '../../peers/placement/owners.ts';
import { finish, median, table } from '../report.ts';
import { runSwarm, type SwarmOptions, type SwarmReport } from './swarm-run.ts';

const TIME_RATIO = 1.5;
const SEED_COPIES = 3;

const HELP = `Runs a swarm (tasks, schedulers, block servers and channels of many nodes) in virtual time.

  node bench/sim/swarm.ts [--nodes N] [--megabytes N] [--mbit N] [--latency-ms N] [--replicas N] [--seed S] [--json FILE]

  --nodes N       nodes that start the image at once, beside the one that has it (default 20)
  --megabytes N   the image (default 500)
  --mbit N        each node's link, both ways (default 1000)
  --latency-ms N  from one node to another, half of a round trip (default 0.2)
  --replicas N    owners of each block, 1 to ${MAX_REPLICAS} (default 2)
  --seed S        a run follows from it and the options above (default 1)
  --json FILE     writes what was measured

Ends with status 1 when all together take more than ${TIME_RATIO} times the ideal, or the first holder sends more than ${SEED_COPIES} copies.
`;

class UsageError extends Error {}

function number(name: string, text: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text);
  if (text === '' || !(value >= min && value <= max))
    throw new UsageError(`--${name} ${text}: not a number from ${min} to ${max}`);
  return value;
}

function wholeNumber(name: string, text: string, min: number, max?: number): number {
  const value = number(name, text, min, max);
  if (!Number.isSafeInteger(value)) throw new UsageError(`--${name} ${text}: not a whole number`);
  return value;
}

function report(options: SwarmOptions, run: SwarmReport, cpuSeconds: number, jsonFile?: string): void {
  const { seconds, idealSeconds, eachSeconds, seedCopies, servedCopies } = run;
  const rows = [
    { what: 'ideal, s', value: idealSeconds },
    { what: 'all have all, s', value: seconds },
    { what: 'the median node, s', value: median(eachSeconds) },
    { what: 'copies that the seed sends', value: seedCopies },
    { what: 'copies that a node sends, most', value: Math.max(...servedCopies) },
    { what: 'copies that a node sends, least', value: Math.min(...servedCopies) },
    { what: 'nodes with all blocks', value: run.whole },
    { what: "the simulator's processor time, s", value: cpuSeconds },
  ];
  const { nodes, imageBytes, bitsPerSecond, latencyMs } = options;
  console.log(
    `${nodes} nodes, ${imageBytes / 1e6} MB in ${run.blocks} blocks, ${bitsPerSecond / 1e6} Mbit/s each, ${latencyMs} ms\n`,
  );
  console.log(`${table(rows)}\n`);
  finish(
    { ...options, ...run },
    [
      { what: 'time / ideal', value: seconds / idealSeconds, atMost: TIME_RATIO },
      { what: 'copies that the seed sends', value: seedCopies, atMost: SEED_COPIES },
    ],
    jsonFile,
  );
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '20' },
      megabytes: { type: 'string', default: '500' },
      mbit: { type: 'string', default: '1000' },
      'latency-ms': { type: 'string', default: '0.2' },
      replicas: { type: 'string', default: '2' },
      seed: { type: 'string', default: '1' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const options: SwarmOptions = {
    seed: wholeNumber('seed', values.seed, 0),
    nodes: wholeNumber('nodes', values.nodes, 1, 500),
    imageBytes: wholeNumber('megabytes', values.megabytes, 1) * 1e6,
    bitsPerSecond: number('mbit', values.mbit, 0.1) * 1e6,
    latencyMs: number('latency-ms', values['latency-ms'], 0, 10_000),
    replicas: wholeNumber('replicas', values.replicas, 1, MAX_REPLICAS),
  };
  const run = await runSwarm(options);
  const { user, system } = process.cpuUsage();
  report(options, run, (user + system) / 1e6, values.json);
}

main().catch((error: unknown) => {
  console.error(error instanceof UsageError ? error.message : error);
  process.exitCode = 1;
});
