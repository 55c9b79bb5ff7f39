/**
 * Many nodes start one image at the same time from the one that has it: how long until all have all of it, and how often its
 * blocks leave that one. Real nodes; the ideal is a pipelined swarm, in which every block leaves the seed once and is passed on as it comes:
 * the volumes' bytes at the rate of one link.
 *
 *   hack/cluster up 6 --name together --link 100mbit && hack/images postgres --push --name together
 *   node bench/together.ts [--name together] [--image postgres] [--json FILE]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Cluster, eventually, forgetAll, ingested } from '../integration/lib/cluster.ts';
import { finish, table } from './report.ts';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'together' },
    image: { type: 'string', default: 'postgres' },
    json: { type: 'string' },
  },
});
/** Making a file is slow while ext4 passes over those that were deleted within the last minute, one by one. */
const SETTLE_MS = 75_000;

const cluster = new Cluster(options.name);
const ref = `registry:5000/${options.image}`;

interface Status {
  machines: { name: string; rateBits: number }[];
}
const { machines } = JSON.parse(await cluster.do('status', '--json')) as Status;
const nodes = machines.filter(({ name }) => name !== 'registry');
const [seed, ...others] = nodes.map(({ name }) => name) as [string, ...string[]];
const linkBytesPerSecond = nodes[0]!.rateBits / 8;

await forgetAll(cluster, seed, ...others);
await sleep(SETTLE_MS);
for (const node of [seed, ...others]) await cluster.configure(node, '');
await cluster.sh(seed, `nerdctl --snapshotter forage pull -q ${ref} > /dev/null`);
await ingested(cluster, seed);
const volumes = await cluster.volumes(seed);
const volumeBytes = volumes.reduce((sum, { bytes_here }) => sum + bytes_here, 0);
const roots = new Set(volumes.map(({ root }) => root));
await eventually('all have heard of it', async () => {
  const images = await Promise.all(others.map((node) => cluster.sh(node, 'forage images --json')));
  return images.every((json) => json.includes(ref));
});

const count = 'find /var/lib/forage/blocks -type f | wc -l';
const wanted = Number(await cluster.sh(seed, count));

/** Until a node has as many blocks as the first one, by its own clock. Files are counted, which costs the node nothing. */
const start = `begun=$(date +%s%N)
  nerdctl --snapshotter forage run -d --net none --name together -q ${ref} sleep inf > /dev/null
  started=$(date +%s%N)
  until [ "$(${count})" -ge ${wanted} ]; do sleep 0.1; done
  echo $begun $started $(date +%s%N)`;

const servedBefore = (await cluster.status(seed)).served_bytes;
const times = await Promise.all(
  others.map(async (node) => {
    const [begun, started, complete] = (await cluster.sh(node, start)).trim().split(' ').map(Number);
    return { node, begun: begun! / 1e9, started: started! / 1e9, complete: complete! / 1e9 };
  }),
);
const served = (await cluster.status(seed)).served_bytes - servedBefore;
const fetched = await Promise.all(others.map(async (node) => (await cluster.status(node)).fetched_bytes));
const first = Math.min(...times.map(({ begun }) => begun));
const seconds = Math.max(...times.map(({ complete }) => complete)) - first;
const idealSeconds = volumeBytes / linkBytesPerSecond;

console.log(
  `\n${options.image}: ${(volumeBytes / 1e6).toFixed(1)} MB in ${roots.size} volumes, ${others.length} nodes from one, links of ${(nodes[0]!.rateBits / 1e6).toFixed(0)} Mbit/s\n`,
);
console.log(
  `${table(
    times.map(({ node, begun, started, complete }, i) => ({
      node,
      'container started, s': started - begun,
      'all blocks, s': complete - first,
      'fetched, MB': fetched[i]! / 1e6,
    })),
  )}\n`,
);
for (const node of others) await cluster.run(node, ['nerdctl', 'rm', '-f', 'together']);
finish(
  { volumeBytes, idealSeconds, seconds, served, times, fetched },
  [
    {
      what: 'time until all have all blocks / ideal pipelined swarm',
      value: seconds / idealSeconds,
      atMost: 1.5,
    },
    { what: 'copies that the first holder sent', value: served / volumeBytes, atMost: 3 },
  ],
  options.json,
);
