/**
 * Blocks from one node to another, with every check, from memory to memory and from disk to disk, against a plain download of the same bytes over
 * HTTPS (curl). Each end is a process of its own on this machine.
 *
 *   node bench/transfer.ts [--megabytes 256] [--rounds 7] [--json FILE]     over loopback
 *   hack/cluster up 2 --name far --link 1gbit --rtt 20
 *   node bench/transfer.ts --name far --link-mbit 1000                      over the link between that cluster's nodes
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import { type Bound, finish, median, table } from './report.ts';
import type { Fetched, FetchOrder, Medium, Served } from './transfer-end.ts';

const { values: options } = parseArgs({
  options: {
    name: { type: 'string' },
    'link-mbit': { type: 'string', default: '1000' },
    megabytes: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
/** Over a link a transfer begins with TCP's slow start, some 150 ms at 20 ms of round trip: enough bytes make that a small part. */
const megabytes = options.megabytes ?? (options.name === undefined ? '256' : '1024');
const END = fileURLToPath(new URL('transfer-end.ts', import.meta.url));
/** Aims: on two cores that both ends share, and bytes of blocks as a part of the link's rate (TCP can carry 0.956 of it). */
const LOOPBACK_MB_PER_SECOND = 400;
const LINK_SHARE = 0.9;

/** Runs a command in a machine's network, or here. */
function place(machine: string): string[] {
  return options.name === undefined ? [] : ['ip', 'netns', 'exec', `forage-${options.name}-${machine}`];
}

function addressOf(machine: string): string {
  if (options.name === undefined) return '127.0.0.1';
  const [command, ...args] = [...place(machine), 'ip', '-json', '-4', 'address', 'show', 'dev', 'eth0'];
  const [link] = JSON.parse(execFileSync(command!, args, { encoding: 'utf8' })) as {
    addr_info: { local: string }[];
  }[];
  return link!.addr_info[0]!.local;
}

function start(machine: string, argv: string[]) {
  const [command, ...args] = [...place(machine), ...argv];
  return spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function serve(folder: string, medium: Medium, address: string) {
  const child = start('n1', [process.execPath, END, 'serve', folder, medium, address, megabytes]);
  let line = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    line += chunk;
    if (line.endsWith('\n')) break;
  }
  return { served: JSON.parse(line) as Served, child };
}

async function fetchBlocks(folder: string, medium: Medium, order: FetchOrder): Promise<Fetched[]> {
  const child = start('n2', [process.execPath, END, 'fetch', folder, medium]);
  child.stdin.end(JSON.stringify(order));
  return JSON.parse(await text(child.stdout)) as Fetched[];
}

/** curl's own measure of the same bytes over HTTPS, in MB/s. */
async function download(folder: string, url: string): Promise<number> {
  const argv = ['curl', '-s', '-k', '--cert', `${folder}/node.crt`, '--key', `${folder}/node.key`, url];
  const child = start('n2', [...argv, '-o', `${folder}/downloaded`, '-w', '%{speed_download}']);
  return Number(await text(child.stdout)) / 1e6;
}

/** The same bytes as blocks, and as one file. */
async function measure(folder: string, medium: Medium) {
  const [one, two] = [join(folder, 'n1'), join(folder, 'n2')];
  const address = addressOf('n1');
  const { served, child } = await serve(one, medium, address);
  try {
    const order = { name: served.name, address: `${address}:${served.port}`, ids: served.ids, rounds };
    const fetched = await fetchBlocks(two, medium, order);
    const plain: number[] = [];
    for (let i = 0; i < rounds; i++)
      plain.push(await download(two, `https://${address}:${served.httpsPort}/`));
    return { fetched, plain };
  } finally {
    child.stdin.end();
  }
}

/** MB/s, MB per second of processor time of the end that fetches, and a demanded block's time meanwhile. */
function summary({ fetched, plain }: Awaited<ReturnType<typeof measure>>) {
  return {
    blocks: median(fetched.map(({ bytes, seconds }) => bytes / seconds / 1e6)),
    perCpuSecond: median(fetched.map(({ bytes, cpuSeconds }) => bytes / cpuSeconds / 1e6)),
    demandMs: median(fetched.flatMap(({ demandMs }) => demandMs)),
    https: median(plain),
  };
}

const folder = await mkdtemp(join(tmpdir(), 'forage-transfer-'));
try {
  await initCluster(folder);
  for (const name of ['n1', 'n2']) await issueNode(folder, name);
  const disk = await measure(folder, 'disk');
  const memory = await measure(folder, 'memory');
  const [fromDisk, fromMemory] = [summary(disk), summary(memory)];
  const row = (what: string, { blocks, perCpuSecond, demandMs }: typeof fromDisk) => ({
    what,
    'MB/s': blocks,
    'MB per CPU second': perCpuSecond,
    'a demand meanwhile, ms': demandMs,
  });
  console.log(table([row('blocks, memory to memory', fromMemory), row('blocks, disk to disk', fromDisk)]));
  console.log(`the same bytes as one file, curl over HTTPS: ${fromDisk.https.toFixed(0)} MB/s`);
  const linkMBps = Number(options['link-mbit']) / 8;
  const bound: Bound =
    options.name === undefined
      ? { what: 'MB/s over loopback', value: fromMemory.blocks, atLeast: LOOPBACK_MB_PER_SECOND }
      : { what: 'share of the link', value: fromMemory.blocks / linkMBps, atLeast: LINK_SHARE };
  finish({ disk, memory, fromDisk, fromMemory }, [bound], options.json);
} finally {
  await rm(folder, { recursive: true, force: true });
}
