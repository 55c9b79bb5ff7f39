/**
 * How soon does a moved container go on? A program with its memory full of noise is checkpointed on n1 and restored on nodes that keep no blocks for
 * others, over the links between them (the checkpoint's blocks are on n1 and n5):
 *   stock      containerd's own way: export of what `ctr containers checkpoint` has made, copy over HTTP, import, ctr containers restore (on n5)
 *   podman     podman's: checkpoint --export, copy over HTTP, restore --import (on n5)
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
import { Cluster, forgetAll, ingested, pushImages } from '../integration/lib/cluster.ts';
import { linkRates } from './link.ts';
import { finish, table } from './report.ts';
import { byPodman } from './restore-podman.ts';
import { program, quoted, type Row, served, Watched } from './restore-program.ts';

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
const megabytes = Math.round(Number(options.megabytes));
const rootOf = (id: string) => `/run/containerd/io.containerd.runtime.v2.task/default/${id}/rootfs`;
const watched = (node: string, id: string) => new Watched(cluster, node, rootOf(id));

async function start(): Promise<void> {
  // An earlier run's: nerdctl, with which the rest is forgotten, cannot remove what ctr has made.
  await cluster.run('n1', ['sh', '-c', 'ctr task rm --force big; ctr container rm big']);
  await forgetAll(cluster, 'n1', 'n2', 'n3', 'n4', 'n5');
  for (const node of ['n2', 'n3', 'n4']) await cluster.configure(node, '[cache]\ncapacity_bytes = 1\n');
  await cluster.sh('n1', `nerdctl --snapshotter forage pull -q ${REF} > /dev/null`);
  await ingested(cluster, 'n1');
  await cluster.sh(
    'n1',
    `ctr run -d --snapshotter forage ${REF} big python3 -c ${quoted(program(megabytes))} < /dev/null > /dev/null 2>&1`,
  );
  await watched('n1', 'big').filled();
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
    firstStepSeconds: await watched(node, how).firstStep(Number(since)),
    allSeconds: completeMs / 1000,
  };
  await watched(node, how).verified();
  await end(node, how);
  return row;
}

/** Its memory and what it has written, in one archive; the image is on the other node already, which is more than forage's rows have. */
async function byContainerd(): Promise<Row> {
  await cluster.sh('n5', `nerdctl --snapshotter forage pull -q ${REF} > /dev/null`);
  await cluster.sh('n1', 'ctr containers checkpoint --rw --task big stock:1 > /dev/null');
  const archive = '/var/lib/forage/stock.tar';
  const told = await served(cluster, archive, async () => {
    const script = `date +%s.%N; ctr images export --skip-manifest-json ${archive} stock:1`;
    const since = await cluster.sh('n1', script);
    await cluster.sh(
      'n5',
      `curl -sf http://n1:8000/ > ${archive} && ctr images import --no-unpack ${archive} > /dev/null &&
       { ctr containers restore --rw --live stock stock:1 < /dev/null > /dev/null 2>&1 & }`,
    );
    return since;
  });
  const moved = watched('n5', 'stock');
  const firstStepSeconds = await moved.firstStep(Number(told.split('\n')[0]));
  await moved.verified();
  await end('n5', 'stock');
  return { how: 'stock', firstStepSeconds, allSeconds: firstStepSeconds };
}

/** A way that is not to be had here has no figures, and its reason is told. */
function ifItCan(how: string, way: Promise<Row>): Promise<Row> {
  return way.catch((error: Error) => {
    console.log(`${how}: ${error.message.trim().split('\n').slice(-3).join(' ')}`);
    return { how, firstStepSeconds: Number.NaN, allSeconds: Number.NaN };
  });
}

const linkBytesPerSecond = (await linkRates(cluster)).get('n1')!;
await pushImages(cluster, [IMAGE]);
const rows = [await ifItCan('podman', byPodman(cluster, REF, megabytes))];
await start();
rows.push(await ifItCan('stock', byContainerd()));
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
