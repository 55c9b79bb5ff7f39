/**
 * Several neighbours have a volume: how fast all of it comes from them together, with one of them silent or dead too, and
 * how long a single read waits when one of them is slow. Real processes, each in a network namespace of its own with a shaped cable.
 *
 *   node bench/sources.ts [--megabytes 60] [--reads 1000] [--only rate|reads] [--json FILE]      (root)
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Bound, finish, median, table } from './report.ts';
import { Net } from './sources-net.ts';
import { type NodeProcess, withNodes } from './sources-nodes.ts';
import type { RelayManner } from './sources-relay.ts';

const { values: options } = parseArgs({
  options: {
    megabytes: { type: 'string', default: '60' },
    reads: { type: 'string', default: '1000' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});
const reads = Number(options.reads);
const BLOCK_BYTES = 64 * 1024;
const blockCount = Math.ceil((Number(options.megabytes) * 1e6) / BLOCK_BYTES);
const HOLDERS = 4;
const FETCHER = 5;
const HOLDER_BITS = 25e6;
/** Aims: Mbit/s of all four (of 100); a part of what the other three can; how a slow one may lengthen the slowest reads. */
const ALL_MBIT = 85;
const REST_MBIT = 0.85 * 75;
const GONE_MS = 1000;
const P99_RATIO = 2;
/** As many as completion has under way. */
const WANTS = 64;
/** Two readers, each with a container's pause between two reads. */
const READERS = 2;
const PAUSE_MS = 5;
/** Before the trouble begins. */
const WARM_READS = 200;

interface Trouble {
  what: string;
  begin(holder: NodeProcess): unknown;
}

const net = new Net('forage-sources');
for (let number = 1; number <= HOLDERS; number++) net.add(number, HOLDER_BITS);
net.add(FETCHER, 1e9);

/** With the fetcher's links up; answers what `use` does. */
async function among<T>(
  use: (fetcher: NodeProcess, holders: readonly NodeProcess[]) => Promise<T>,
): Promise<T> {
  let result: T | undefined;
  await withNodes(net, FETCHER, async (nodes) => {
    const [fetcher, holders] = [nodes[FETCHER - 1]!, nodes.slice(0, HOLDERS)];
    const blocks = { count: Math.max(blockCount, reads), sizeBytes: BLOCK_BYTES };
    const setup = (node: NodeProcess) =>
      node.do({ do: 'setup', setup: { blocks, holds: node !== fetcher, relayed: node !== fetcher } });
    await Promise.all(nodes.map(setup));
    const neighbourhood = {
      neighbours: holders.map(({ name, number }) => ({ name, host: net.address(number) })),
      whole: holders.map(({ name }) => name),
      members: [],
      replicas: 1,
    };
    await fetcher.do({ do: 'join', neighbourhood });
    result = await use(fetcher, holders);
  });
  for (const number of Array.from({ length: HOLDERS }, (_, i) => i + 1)) {
    net.shape(number, HOLDER_BITS);
    net.plug(number);
  }
  return result!;
}

/** The trouble begins before the transfer; with a death, in its middle. */
async function rate(what: string, during?: (fetcher: NodeProcess, holder: NodeProcess) => Promise<unknown>) {
  return among(async (fetcher, [holder]) => {
    if (during === stall) await stall(fetcher, holder!);
    const order = { from: 0, to: blockCount, priority: 'completion', atOnce: WANTS, pauseMs: 0 } as const;
    const fetching = fetcher.fetch(order);
    const goneMs = during === die ? await die(fetcher, holder!) : undefined;
    const { seconds } = await fetching;
    return { what, mbit: (blockCount * BLOCK_BYTES * 8) / seconds / 1e6, goneMs };
  });
}

const stall = (_fetcher: NodeProcess, holder: NodeProcess): Promise<unknown> => holder.do({ do: 'stall' });

/** Milliseconds until the fetcher has dropped a holder whose cable is taken out. */
async function die(fetcher: NodeProcess, holder: NodeProcess): Promise<number> {
  await sleep(1000);
  const gone = fetcher.do({ do: 'awaitGone', name: holder.name }) as Promise<number>;
  const begunMs = Date.now();
  net.unplug(holder.number);
  return (await gone) - begunMs;
}

/** The trouble begins when it is known who is quick, at the one that has been asked most. */
async function readTimes({ what, begin }: Trouble) {
  return among(async (fetcher, holders) => {
    const order = { priority: 'demand', atOnce: READERS, pauseMs: PAUSE_MS } as const;
    await fetcher.fetch({ ...order, from: 0, to: WARM_READS });
    const served = await Promise.all(holders.map((holder) => holder.served()));
    await begin(holders[served.indexOf(Math.max(...served))]!);
    const { tookMs, bytes } = await fetcher.fetch({ ...order, from: WARM_READS, to: reads });
    const sorted = [...tookMs].sort((a, b) => a - b);
    const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1]!;
    const extra = bytes / (tookMs.length * BLOCK_BYTES) - 1;
    return { what, p50: median(tookMs), p99, most: sorted.at(-1)!, extra };
  });
}

const manner = (manner: RelayManner) => (holder: NodeProcess) => holder.do({ do: 'trouble', manner });
const READS: Trouble[] = [
  { what: 'as before', begin() {} },
  { what: '300 ms later', begin: manner({ delayMs: 300, stallMs: 0, everyMs: 0 }) },
  { what: 'at 0.5 Mbit/s instead of 25', begin: ({ number }) => net.shape(number, 500_000) },
  { what: 'still for 400 ms of every 2 s', begin: manner({ delayMs: 0, stallMs: 400, everyMs: 2000 }) },
  { what: 'silent, though it answers pings', begin: (holder) => holder.do({ do: 'stall' }) },
];

async function measureRates(): Promise<Bound[]> {
  const rows = [
    await rate('nobody'),
    await rate('one answers pings, and sends no block', stall),
    await rate('one is gone after 1 s', die),
  ];
  console.log(`\nall blocks from ${HOLDERS} neighbours of ${HOLDER_BITS / 1e6} Mbit/s each\n`);
  console.log(table(rows.map(({ what, mbit }) => ({ trouble: what, 'Mbit/s': mbit }))));
  results.rates = rows;
  const bounds = rows.map(({ what, mbit }, i) => ({
    what: `Mbit/s, ${what}`,
    value: mbit,
    atLeast: i === 0 ? ALL_MBIT : REST_MBIT,
  }));
  return [
    ...bounds,
    { what: 'a dead one is dropped after, ms', value: rows.at(-1)!.goneMs!, atMost: GONE_MS },
  ];
}

async function measureReads(): Promise<Bound[]> {
  const rows = [];
  for (const trouble of READS) rows.push(await readTimes(trouble));
  console.log(`\n${reads - WARM_READS} reads of ${BLOCK_BYTES / 1024} KiB, ${READERS} at once\n`);
  console.log(
    table(
      rows.map(({ what, p50, p99, most }) => ({
        'the most used of the four': what,
        'p50, ms': p50,
        'p99, ms': p99,
        'max, ms': most,
      })),
    ),
  );
  results.reads = rows;
  const [calm, ...slow] = rows;
  return slow.map(({ what, p99 }) => ({
    what: `p99, ${what} / as before`,
    value: p99 / calm!.p99,
    atMost: P99_RATIO,
  }));
}

const results: Record<string, unknown> = {};
const bounds: Bound[] = [];
try {
  if (options.only !== 'reads') bounds.push(...(await measureRates()));
  if (options.only !== 'rate') bounds.push(...(await measureReads()));
  finish(results, bounds, options.json);
} finally {
  net.remove();
}
