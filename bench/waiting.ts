/**
 * Do reads that wait for a dead neighbour hold anybody up? On n2, one container has all of its blocks, another waits in
 * hundreds of reads for blocks that cannot be had. Compared in turn: the first one's cold whole-tree read without and
 * with the waiting ones; then the time that `nerdctl rm -f` of the waiting container takes.
 *
 *   hack/cluster up 2 --name waiting
 *   node bench/waiting.ts --name waiting [--readers 500] [--json FILE]
 */
import { parseArgs } from 'node:util';
import { Cluster, eventually, forgetAll, ingested, pushImages } from '../integration/lib/cluster.ts';
import { dropCaches } from '../integration/lib/reader.ts';
import { finish, median, table } from './report.ts';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'default' },
    readers: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'string' },
  },
});
const readers = Number(options.readers);
const LOCAL = 'python:v1';
const FAR = 'nodejs:v1';
/** A file of 55 MB in FAR (a shell pattern); each reader waits for a page of its own. */
const FAR_FILE = '/usr/lib/*/libnode.so.*';
const FAR_PAGES = 13_000;
const cluster = new Cluster(options.name);

function run(name: string, image: string): Promise<string> {
  return cluster.sh(
    'n2',
    `nerdctl --snapshotter forage run -d --net none --name ${name} --entrypoint /bin/sh registry:5000/${image} -c 'dd if=/etc/passwd of=/dev/null 2> /dev/null; while :; do sleep 1000; done'`,
  );
}

async function prepare(): Promise<void> {
  await cluster.do('heal');
  await pushImages(cluster, [LOCAL, FAR]);
  await forgetAll(cluster, 'n1', 'n2');
  for (const image of [LOCAL, FAR]) {
    await cluster.sh('n1', `nerdctl --snapshotter forage pull -q registry:5000/${image}`);
  }
  await ingested(cluster, 'n1');
  await cluster.setCompletion('n2', true);
  await run('local', LOCAL);
  await eventually('all blocks of the local container are there', async () =>
    (await cluster.volumes('n2')).every((volume) => volume.complete),
  );
  await cluster.setCompletion('n2', false);
  await run('far', FAR);
}

/** Seconds for a cold read of every file of the local container. */
async function localRead(): Promise<number> {
  dropCaches();
  const out = await cluster.sh(
    'n2',
    `t0=$(date +%s%N)
     nerdctl exec local sh -c 'find / -xdev -type f -not -path "/proc/*" -not -path "/sys/*" -print0 | xargs -0 cat > /dev/null'
     echo $(($(date +%s%N) - t0))`,
  );
  return Number(out.trim()) / 1e9;
}

async function startReaders(): Promise<void> {
  await cluster.do('cut', 'n2');
  await cluster.sh(
    'n2',
    `nerdctl exec -d far sh -c 'i=0; while [ $i -lt ${readers} ]; do
       dd if=$(echo ${FAR_FILE}) of=/dev/null bs=4096 count=1 skip=$((i * ${FAR_PAGES} / ${readers})) 2> /dev/null & i=$((i + 1)); done; wait'`,
  );
  await eventually(
    'the readers wait',
    async () => Number(await cluster.sh('n2', 'pgrep -xc dd || true')) >= readers * 0.8,
  );
}

await prepare();
await localRead();
const before: number[] = [];
for (let i = 0; i < Number(options.rounds); i++) before.push(await localRead());
await startReaders();
const during: number[] = [];
for (let i = 0; i < Number(options.rounds); i++) during.push(await localRead());
const waiting = Number(await cluster.sh('n2', 'pgrep -xc dd || true'));
const removal = await cluster.sh(
  'n2',
  't0=$(date +%s%N); nerdctl rm -f far > /dev/null; echo $(($(date +%s%N) - t0))',
);
const removalSeconds = Number(removal.trim()) / 1e9;
await cluster.do('heal');
await forgetAll(cluster, 'n1', 'n2');
await cluster.setCompletion('n2', true);

console.log(
  `\n${table([
    {
      'local cold read': 'nobody waits',
      'median, s': median(before),
      'min, s': Math.min(...before),
      'max, s': Math.max(...before),
    },
    {
      'local cold read': `${waiting} reads wait`,
      'median, s': median(during),
      'min, s': Math.min(...during),
      'max, s': Math.max(...during),
    },
  ])}\n`,
);
finish(
  { readers: waiting, before, during, removalSeconds },
  [
    { what: 'readers that wait', value: waiting, atLeast: readers * 0.8 },
    { what: 'local read, with / without waiting reads', value: median(during) / median(before), atMost: 1.2 },
    { what: 'nerdctl rm -f of the waiting container, s', value: removalSeconds, atMost: 2 },
  ],
  options.json,
);
