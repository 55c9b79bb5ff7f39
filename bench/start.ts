/**
 * The main job, measured: n1 pulls an image through the uplink; n2 then starts it with forage from n1's blocks, n3 with a plain
 * overlayfs pull through the same uplink. Time to the container's first output, and bytes received until then.
 * The limit beside each is (bytes received / the rate of the link that they came over).
 *
 *   hack/cluster up 3 --name start --uplink 100mbit
 *   hack/images postgres --push --name start
 *   node bench/start.ts --name start --image postgres [--rounds 1] [--json FILE]
 */
import { parseArgs } from 'node:util';
import { Cluster, eventually, forgetAll, ingested } from '../integration/lib/cluster.ts';
import { type ImageJson, images } from '../integration/lib/images.ts';
import { linkRates } from './link.ts';
import { finish, median, table } from './report.ts';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string', default: 'default' },
    image: { type: 'string', default: 'postgres' },
    rounds: { type: 'string', default: '1' },
    json: { type: 'string' },
  },
});
const cluster = new Cluster(options.name);
const [{ compressedBytes: imageBytes, smoke }] = (await images(options.name, options.image)) as [ImageJson];
const image = `registry:5000/${options.image}`;
/** What the container runs: it prints, and ends. */
const [program, ...words] = smoke.argv;

interface Start {
  seconds: number;
  receivedBytes: number;
}

/** Bytes that the machine's own link has received: all interfaces but loopback and the containers' own. */
const RECEIVED = `awk -F'[: ]+' '$2 !~ /^(lo|veth|nerdctl|br-|cni)/ && NR > 2 {s += $3} END {print s+0}' /proc/net/dev`;

const hasNerdctl = (await cluster.run('n1', ['which', 'nerdctl'])).status === 0;
if (!hasNerdctl) console.log('nerdctl is not there (it is built with Go): measuring with ctr');

function pull(snapshotter: string): string {
  return hasNerdctl
    ? `nerdctl --snapshotter ${snapshotter} pull -q ${image}`
    : `ctr image pull --plain-http --snapshotter ${snapshotter} ${image}`;
}

function start(snapshotter: string): string {
  return hasNerdctl
    ? `nerdctl --snapshotter ${snapshotter} run --rm --net none --entrypoint ${program} ${image} ${words.join(' ')}`
    : `${pull(snapshotter)} > /dev/null && ctr run --rm --snapshotter ${snapshotter} ${image} bench ${smoke.argv.join(' ')}`;
}

function forget(snapshotter: string): string {
  return hasNerdctl
    ? `nerdctl --snapshotter ${snapshotter} rmi -f ${image} > /dev/null; nerdctl system prune -f > /dev/null`
    : `ctr image rm --sync ${image} > /dev/null`;
}

/** Starts a container and reads up to its first line. Everything is timed in the machine itself. */
async function firstOutput(machine: string, snapshotter: string): Promise<Start> {
  const out = await cluster.sh(
    machine,
    `b0=$(${RECEIVED}); t0=$(date +%s%N)
     ${start(snapshotter)} 2> /tmp/bench-start.err | { IFS= read -r line; t1=$(date +%s%N); b1=$(${RECEIVED})
       cat > /dev/null; echo "$((t1 - t0)) $((b1 - b0)) $line"; }`,
  );
  const [ns, bytes, ...line] = out.trim().split(' ');
  if (line.length === 0) {
    throw new Error(`${machine}: no output\n${await cluster.sh(machine, 'cat /tmp/bench-start.err')}`);
  }
  return { seconds: Number(ns) / 1e9, receivedBytes: Number(bytes) };
}

/**
 * ext4 passes over inodes that were deleted within the last minute, one by one: whoever unpacks soon after a removal is a
 * tenth slower, whatever the snapshotter.
 */
const SETTLE = 'sync; sleep 75';

async function timed(machine: string, script: string): Promise<number> {
  const out = await cluster.sh(
    machine,
    `t0=$(date +%s%N); ${script} > /dev/null; t1=$(date +%s%N); echo $((t1 - t0))`,
  );
  return Number(out.trim()) / 1e9;
}

/** n1's pull with each snapshotter in turn; the image stays there with forage. */
async function comparePulls(): Promise<{ forage: number; overlayfs: number }> {
  const forage: number[] = [];
  const overlayfs: number[] = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    if (round > 0) await cluster.sh('n1', `${forget('forage')}; ${SETTLE}`);
    overlayfs.push(await timed('n1', pull('overlayfs')));
    await cluster.sh('n1', `${forget('overlayfs')}; ${SETTLE}`);
    forage.push(await timed('n1', pull('forage')));
    await ingested(cluster, 'n1');
  }
  return { forage: median(forage), overlayfs: median(overlayfs) };
}

/** Has a container on n2 that does nothing, and waits until all that it could read is there. Answers how long that took. */
async function complete(): Promise<number> {
  const container = hasNerdctl
    ? `nerdctl --snapshotter forage run -d --name idle --net none --entrypoint sleep ${image} inf`
    : `ctr run -d --snapshotter forage ${image} idle sleep inf`;
  await cluster.sh('n2', container);
  const begunMs = performance.now();
  const isComplete = async () => (await cluster.volumes('n2')).every((volume) => volume.complete);
  await eventually('n2 has all blocks', isComplete, 300_000);
  const seconds = (performance.now() - begunMs) / 1000;
  await cluster.sh('n2', hasNerdctl ? 'nerdctl rm -f idle' : 'ctr task rm -f idle; ctr container rm idle');
  return seconds;
}

/** The most that forage's processes have held since they started (VmHWM of proc_pid_status(5)), in MB. */
async function peakMemory(machine: string) {
  const out = await cluster.sh(
    machine,
    `for pid in $(systemctl show -P MainPID forage) $(pgrep -P $(systemctl show -P MainPID forage-volumes) -f server.ts)
     do awk '/^VmHWM/{print $2}' /proc/$pid/status; done`,
  );
  const [node, server] = out
    .trim()
    .split('\n')
    .map((kib) => (Number(kib) * 1024) / 1e6);
  return { where: machine, 'forage node, MB': node!, 'volume server, MB': server! };
}

const rates = await linkRates(cluster);
const rate = (name: string) => rates.get(name)!;

await forgetAll(cluster, 'n1', 'n2', 'n3');
await cluster.setCompletion('n2', false);
// Nothing is copied to owners meanwhile: what is measured is what a start itself brings.
for (const machine of ['n1', 'n3']) await cluster.configure(machine, '');
console.log(`${options.image}: ${(imageBytes / 1e6).toFixed(1)} MB in the registry; pulling on n1`);
const pulls = await comparePulls();
const plain = await firstOutput('n3', 'overlayfs');
const lazy = await firstOutput('n2', 'forage');
await cluster.setCompletion('n2', true);
const completionSeconds = await complete();
const memory = await Promise.all(['n1', 'n2'].map(peakMemory));
for (const machine of ['n1', 'n2', 'n3']) await cluster.configure(machine, '[cache]\n');

const volumeBytes = (await cluster.volumes('n1')).reduce((sum, volume) => sum + volume.bytes_here, 0);
const rows = [
  {
    where: 'n3',
    how: 'overlayfs, from the registry',
    ...plain,
    limit: plain.receivedBytes / rate('registry'),
  },
  { where: 'n2', how: "forage, from n1's blocks", ...lazy, limit: lazy.receivedBytes / rate('n2') },
].map(({ where, how, seconds, receivedBytes, limit }) => ({
  where,
  how,
  'first output, s': seconds,
  'received, MB': receivedBytes / 1e6,
  'of the image, %': (100 * receivedBytes) / imageBytes,
  'limit, s': limit,
  'times the limit': seconds / limit,
}));
console.log(`\n${table(rows)}\n`);
console.log(
  `n1's pull, ingest behind it: forage ${pulls.forage.toFixed(2)} s, overlayfs ${pulls.overlayfs.toFixed(2)} s (rounds: ${options.rounds}); the rest of the image came to n2 in ${completionSeconds.toFixed(1)} s\n`,
);
console.log(`most memory, resident\n${table(memory)}\n`);
finish(
  { image: options.image, imageBytes, volumeBytes, plain, lazy, pulls, completionSeconds, memory },
  [
    { what: 'first output, overlayfs / forage', value: plain.seconds / lazy.seconds, atLeast: 3 },
    {
      what: "part of the image's bytes received before it",
      value: lazy.receivedBytes / imageBytes,
      atMost: 0.4,
    },
    { what: "n1's pull, forage / overlayfs", value: pulls.forage / pulls.overlayfs, atMost: 1.1 },
    {
      what: 'forage node, resident MB',
      value: Math.max(...memory.map((row) => row['forage node, MB'])),
      atMost: 150,
    },
    {
      what: 'volume server, resident MB',
      value: Math.max(...memory.map((row) => row['volume server, MB'])),
      atMost: 70,
    },
  ],
  options.json,
);
