/**
 * Many nodes start one image at once from the one node that has it: how long until all have all of it, and how often the
 * seed sends it. Real processes, each in a network namespace of its own with a shaped cable.
 *
 *   node bench/swarm.ts [--nodes 20] [--megabytes 25] [--mbit 10] [--wants 64] [--replicas 2] [--no-placement] [--json FILE]      (root)
 *
 * Two cores cannot carry 20 times 500 MB at 1 Gbit/s, so bytes and rate are both scaled down, and what is compared with the ideal is the ratio. Blocks
 * scale by less (the smallest that the chunker cuts), so each hop of a block weighs more here than there. For the same reason a first, small image makes
 * all connections before the clock starts: the handshakes of 20 machines are seconds for two cores.
 */
import { parseArgs } from 'node:util';
import { finish, median, table } from './report.ts';
import { Net } from './sources-net.ts';
import { type NodeProcess, withNodes } from './sources-nodes.ts';

const { values: options } = parseArgs({
  options: {
    nodes: { type: 'string', default: '20' },
    megabytes: { type: 'string', default: '25' },
    mbit: { type: 'string', default: '10' },
    wants: { type: 'string', default: '64' },
    replicas: { type: 'string', default: '2' },
    'no-placement': { type: 'boolean', default: false },
    json: { type: 'string' },
  },
});
const BLOCK_BYTES = 32 * 1024;
const FIRST_BLOCKS = 200;
const nodeCount = Number(options.nodes);
const blockCount = Math.ceil((Number(options.megabytes) * 1e6) / BLOCK_BYTES);
const imageBytes = blockCount * BLOCK_BYTES;
const bitsPerSecond = Number(options.mbit) * 1e6;
/** Aims: of a swarm that passes each block on while the next one comes; and how often the seed may send the image. */
const TIME_RATIO = 1.5;
const SEED_COPIES = 3;
const SEED = 1;
/**
 * The last node has the last block when the seed has sent all blocks once (a node's cable carries as much), and the last one of
 * them has gone one hop more.
 */
const idealSeconds = ((imageBytes + BLOCK_BYTES) * 8) / bitsPerSecond;

const net = new Net('forage-swarm');

async function swarm(nodes: readonly NodeProcess[]): Promise<void> {
  const seed = nodes[SEED - 1]!;
  const starters = nodes.filter((node) => node !== seed);
  const blocks = { count: FIRST_BLOCKS + blockCount, sizeBytes: BLOCK_BYTES };
  for (const node of nodes)
    await node.do({ do: 'setup', setup: { blocks, holds: node === seed, relayed: false } });
  const members = options['no-placement'] ? [] : nodes.map(({ name }) => name);
  const join = (node: NodeProcess) => {
    const others = nodes.filter((other) => other !== node);
    const neighbours = others.map(({ name, number }) => ({ name, host: net.address(number) }));
    const neighbourhood = { neighbours, whole: [seed.name], members, replicas: Number(options.replicas) };
    return node.do({ do: 'join', neighbourhood });
  };
  await Promise.all(nodes.map(join));
  const order = { priority: 'completion', atOnce: Number(options.wants), pauseMs: 0 } as const;
  const fetchAll = (from: number, to: number) =>
    Promise.all(starters.map((node) => node.fetch({ ...order, from, to })));
  await fetchAll(0, FIRST_BLOCKS);
  const before = await Promise.all(nodes.map((node) => node.served()));
  const begunMs = performance.now();
  const fetched = await fetchAll(FIRST_BLOCKS, FIRST_BLOCKS + blockCount);
  const seconds = (performance.now() - begunMs) / 1000;
  const after = await Promise.all(nodes.map((node) => node.served()));
  const [seedCopies, ...served] = after.map((bytes, i) => (bytes - before[i]!) / imageBytes) as [
    number,
    ...number[],
  ];
  const cpuSeconds = fetched.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  report({ seconds, seedCopies, each: fetched.map((one) => one.seconds), served, cpuSeconds });
}

function report(run: {
  seconds: number;
  seedCopies: number;
  each: number[];
  served: number[];
  cpuSeconds: number;
}) {
  const { seconds, seedCopies, each, served } = run;
  const rows = [
    { what: 'ideal, s', value: idealSeconds },
    { what: 'all have all, s', value: seconds },
    { what: 'the median node, s', value: median(each) },
    { what: 'copies that the seed sends', value: seedCopies },
    { what: 'copies that a node sends, most', value: Math.max(...served) },
    { what: 'copies that a node sends, least', value: Math.min(...served) },
    { what: "nodes' processor time, s", value: run.cpuSeconds },
  ];
  console.log(
    `\n${nodeCount} nodes, ${options.megabytes} MB, ${options.mbit} Mbit/s each\n\n${table(rows)}\n`,
  );
  finish(
    { idealSeconds, ...run },
    [
      { what: 'time / ideal', value: seconds / idealSeconds, atMost: TIME_RATIO },
      { what: 'copies that the seed sends', value: seedCopies, atMost: SEED_COPIES },
    ],
    options.json,
  );
}

try {
  for (let number = 1; number <= nodeCount + 1; number++) net.add(number, bitsPerSecond);
  await withNodes(net, nodeCount + 1, swarm);
} finally {
  net.remove();
}
