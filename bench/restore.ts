/**
 * How soon does a moved container go on? A program with its memory full of noise is checkpointed on n1 and restored on nodes that keep no blocks for
 * others, over the links between them (the checkpoint's blocks are on n1 and n5):
 *   stock      containerd's own way: export of what `ctr containers checkpoint` has made, copy over HTTP, import, ctr containers restore (on n5)
 *   lazy       forage, memory as it is touched (n2)
 *   again      forage on the node where the blocks are already (n2)
 *   recorded   forage, lazily, with the working set that the first restore has shown (n3)
 *   whole      forage, all memory and files first (n4)
 * Each is timed from the moment at which the checkpoint is there: until the program's first step (it writes down the time, and the machines share a
 * clock), and until all of its memory is there. Afterwards it hashes all of its memory. The limit is the link: the dump's bytes at its rate.
 * The machines share a disk, too: what the others have written is on it before a restore begins.
 *
 *   hack/cluster up 5 --name restore --link 1gbit
 *   node bench/restore.ts --name restore [--megabytes 1000] [--json FILE]
 */
import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { Cluster, eventually, forgetAll, ingested, pushImages } from '../integration/lib/cluster.ts';
import { linkRates } from './link.ts';
import { finish, table } from './report.ts';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'default' },
    megabytes: { type: 'string', default: '1000' },
    json: { type: 'string' },
  },
});
const cluster = new Cluster(options.name);
const IMAGE = 'python:v1';
const REF = `registry:5000/${IMAGE}`;

/** Fills its memory, then writes down the time every few milliseconds, and a hash of all its memory when asked. */
const PROGRAM = `
import hashlib, os, time
data = bytearray()
for i in range(${Math.round(Number(options.megabytes))}): data += os.urandom(1000000)
open("/digest", "w").write(hashlib.sha256(data).hexdigest())
steps = open("/steps", "a", buffering=1)
while True:
    steps.write(f"{time.time()}\\n")
    if os.path.exists("/ask"):
        os.remove("/ask")
        open("/answer.new", "w").write(hashlib.sha256(data).hexdigest())
        os.rename("/answer.new", "/answer")
    time.sleep(0.005)
`;

interface Row {
  how: string;
  firstStepSeconds: number;
  allSeconds: number;
}

/** A shell's word. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
const rootOf = (id: string) => `/run/containerd/io.containerd.runtime.v2.task/default/${id}/rootfs`;

async function start(): Promise<void> {
  await forgetAll(cluster, 'n1', 'n2', 'n3', 'n4', 'n5');
  for (const node of ['n2', 'n3', 'n4']) await cluster.configure(node, '[cache]\ncapacity_bytes = 1\n');
  await cluster.sh('n1', `nerdctl --snapshotter forage pull -q ${REF} > /dev/null`);
  await ingested(cluster, 'n1');
  await cluster.sh(
    'n1',
    `ctr run -d --snapshotter forage ${REF} big python3 -c ${quoted(PROGRAM)} < /dev/null > /dev/null 2>&1`,
  );
  await eventually(
    'its memory is full',
    async () => (await cluster.run('n1', ['test', '-s', `${rootOf('big')}/steps`])).status === 0,
    180_000,
  );
}

/** Seconds from `sinceSeconds` to the first time after it at which it was running. */
async function firstStep(node: string, id: string, sinceSeconds: number): Promise<number> {
  let at = Number.NaN;
  await eventually(`${id} goes on`, async () => {
    const look = `awk '$1 > ${sinceSeconds} {print $1; exit}' ${rootOf(id)}/steps`;
    // There is no such container yet.
    const { stdout } = await cluster.run(node, ['sh', '-c', look]);
    at = Number(stdout.trim() || Number.NaN);
    return !Number.isNaN(at);
  });
  return at - sinceSeconds;
}

async function verified(node: string, id: string): Promise<void> {
  const root = rootOf(id);
  const answer = await cluster.sh(
    node,
    `touch ${root}/ask; until [ -e ${root}/answer ]; do sleep 0.05; done; cat ${root}/answer`,
  );
  const digest = await cluster.sh(node, `cat ${root}/digest`);
  if (answer !== digest) throw new Error(`${id} has other memory than before`);
}

async function end(node: string, id: string): Promise<void> {
  await cluster.sh(
    node,
    `ctr task kill -s KILL ${id}; until ctr task rm ${id}; do sleep 0.2; done; ctr container rm ${id}`,
  );
}

async function byForage(how: string, node: string, ...flags: string[]): Promise<Row> {
  execFileSync('sync');
  const script = `date +%s.%N; forage restore moved --name ${how} --json ${flags.join(' ')}`;
  const [since = '', ...json] = (await cluster.sh(node, script)).split('\n');
  const { complete_ms: completeMs } = JSON.parse(json.join('\n')) as { complete_ms: number };
  const row = {
    how,
    firstStepSeconds: await firstStep(node, how, Number(since)),
    allSeconds: completeMs / 1000,
  };
  await verified(node, how);
  await end(node, how);
  return row;
}

/** Its memory and what it has written, in one archive; the image is on the other node already, which is more than forage's rows have. */
async function byContainerd(): Promise<Row> {
  const serve = `require('http').createServer((q,a)=>require('fs').createReadStream('/var/lib/forage/stock.tar').pipe(a).on('close',()=>process.exit())).listen(8000)`;
  await cluster.sh('n5', `nerdctl --snapshotter forage pull -q ${REF} > /dev/null`);
  await cluster.sh('n1', 'ctr containers checkpoint --rw --task big stock:1 > /dev/null');
  const server = cluster.run('n1', [
    'timeout',
    '300',
    '/usr/lib/forage/node_modules/node/bin/node',
    '-e',
    serve,
  ]);
  const since = Number(
    (
      await cluster.sh(
        'n1',
        'date +%s.%N; ctr images export --skip-manifest-json /var/lib/forage/stock.tar stock:1',
      )
    ).split('\n')[0],
  );
  await cluster.sh(
    'n5',
    `curl -sf http://n1:8000/ > /var/lib/forage/stock.tar && ctr images import --no-unpack /var/lib/forage/stock.tar > /dev/null &&
     { ctr containers restore --rw --live stock stock:1 < /dev/null > /dev/null 2>&1 & }`,
  );
  await server;
  const firstStepSeconds = await firstStep('n5', 'stock', since);
  await verified('n5', 'stock');
  await end('n5', 'stock');
  return { how: 'stock', firstStepSeconds, allSeconds: firstStepSeconds };
}

const linkBytesPerSecond = (await linkRates(cluster)).get('n1')!;
await pushImages(cluster, [IMAGE]);
await start();
const rows: Row[] = [];
rows.push(
  await byContainerd().catch((error: Error) => {
    console.log(`stock: ${error.message.split('\n').slice(0, 3).join(' ')}`);
    return { how: 'stock', firstStepSeconds: Number.NaN, allSeconds: Number.NaN };
  }),
);
const made = JSON.parse(await cluster.sh('n1', 'forage checkpoint create big --name moved --json')) as {
  memory_bytes: number;
  frozen_ms: number;
};
const limitSeconds = made.memory_bytes / linkBytesPerSecond;
for (const [how, node, ...flags] of [
  ['lazy', 'n2'],
  ['again', 'n2'],
  ['recorded', 'n3'],
  ['whole', 'n4', '--whole'],
] as const)
  rows.push(await byForage(how, node, ...flags));
console.log(
  `\n${(made.memory_bytes / 1e6).toFixed(0)} MB of memory, frozen for ${made.frozen_ms.toFixed(0)} ms; the link takes ${limitSeconds.toFixed(2)} s for them\n`,
);
console.log(
  `${table(rows.map(({ how, firstStepSeconds, allSeconds }) => ({ how, 'first step, s': firstStepSeconds, 'all memory, s': allSeconds })))}\n`,
);
const of = (name: string) => rows.find(({ how }) => how === name)!;
finish(
  { ...made, limitSeconds, rows },
  [
    {
      what: 'first step, lazy / whole',
      value: of('lazy').firstStepSeconds / of('whole').firstStepSeconds,
      atMost: 0.1,
    },
    { what: 'first step, lazy, s', value: of('lazy').firstStepSeconds, atMost: 0.5 },
  ],
  options.json,
);
