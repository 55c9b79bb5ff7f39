/**
 * What a node of a cluster has on its disk for the images that the cluster has, over the number of nodes: n1 pulls six images, the
 * others join one by one, and every node's folders are measured once all blocks are where they belong. Clusters larger
 * than the one at hand are computed by the code that places blocks, on the same volumes.
 *
 *   hack/cluster up 6 --name storage --uplink 1gbit
 *   node bench/storage.ts --name storage [--json FILE] [--svg FILE]
 *
 * It takes a fresh cluster and leaves it with all blobs dropped on n1. Beside it stands what an ordinary node has: each image
 * packed in containerd's content store, and unpacked.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Cluster } from '../integration/lib/cluster.ts';
import { images } from '../integration/lib/images.ts';
import { finish } from './report.ts';
import {
  atRest,
  begin,
  dropBlobs,
  fetchedBytes,
  indexesOf,
  join,
  pullFirst,
  pullPlain,
} from './storage-nodes.ts';
import { blocksOf, sharesOf, sizeOf } from './storage-plan.ts';
import { plot } from './storage-plot.ts';
import {
  bounds,
  lines,
  type Measured,
  movesTable,
  partsTable,
  type Results,
  rowsOf,
  storageTable,
  summary,
} from './storage-report.ts';

const IMAGES = ['python:v1', 'nodejs:v1', 'nginx', 'redis', 'postgres', 'openjdk'];
/** The option `replicas`, which is at its default. */
const REPLICAS = 2;
const MOST_NODES = 10;

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'default' },
    json: { type: 'string' },
    svg: { type: 'string' },
  },
});
const cluster = new Cluster(options.name);
const status = JSON.parse(await cluster.do('status', '--json')) as { machines: { name: string }[] };
const nodes = status.machines.map(({ name }) => name).filter((name) => name !== 'registry');
if (nodes.length < 3 || nodes.length >= MOST_NODES) throw new Error('this takes a cluster of 3 to 9 nodes');

/** A run takes half an hour: each step says when it begins. */
const say = (line: string) => console.log(`${new Date().toTimeString().slice(0, 8)} ${line}`);

const refs = (await images(options.name, ...IMAGES)).map(({ ref }) => ref);
await begin(cluster, nodes, 2);
say(`${nodes.at(-1)} pulls the images with overlayfs, and removes them`);
const plain = await pullPlain(cluster, nodes.at(-1)!, refs);
say('n1 pulls the images with forage');
await pullFirst(cluster, 'n1', refs);
const blocks = blocksOf(await indexesOf(cluster, 'n1'));
const measured: Measured[] = [];
for (let count = 2; count <= nodes.length; count++) measured.push(await measure(count));
say('n1 drops the blobs of its layers');
const { contentBytes: dropped, left } = await dropBlobs(cluster, 'n1');

/** Has the last of so many nodes join, and waits for rest. */
async function measure(count: number): Promise<Measured> {
  const members = nodes.slice(0, count);
  const before = members.slice(0, -1);
  const shares = sharesOf(blocks, members, REPLICAS);
  say(`${count} nodes`);
  const beforeBytes = count === 2 ? 0 : await fetchedBytes(cluster, before);
  if (count > 2) await join(cluster, members.at(-1)!, before);
  const rest = await atRest(cluster, blocks, shares);
  if (!rest.isAtRest) say('they have not come to rest');
  const movedBytes = (await fetchedBytes(cluster, members)) - beforeBytes;
  return { ...rest, nodes: count, movedBytes, joinerBytes: sizeOf(blocks, shares.at(-1)!.owned) };
}

const results: Results = {
  images: IMAGES,
  replicas: REPLICAS,
  blocks: blocks.size,
  blockBytes: sizeOf(blocks),
  plain,
  contentBytes: { kept: measured.at(-1)!.usages[0]!.contentBytes, dropped },
  blobsLeft: left,
  measured,
  rows: rowsOf(blocks, REPLICAS, measured, MOST_NODES),
};
console.log(`
${summary(results)}

forage's root, MB a node
${storageTable(results)}

a node joins
${movesTable(results)}

what ${nodes.length} nodes have on their disks
${partsTable(results)}
`);
if (options.svg !== undefined) {
  const title = `Disk space of a node for ${IMAGES.length} images`;
  writeFileSync(options.svg, plot(title, lines(results)));
}
finish(results, bounds(results), options.json);
