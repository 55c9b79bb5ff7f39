/**
 * Reads through forage with all blocks local, against native EROFS on a plain file and against overlayfs.
 *
 *   node bench/read.ts [--rounds 5] [--json FILE]                needs root; keeps about 1 GB in the cache folder
 *
 * The ways are taken in turn, so that a busy machine is unfair to none. Cold: /proc/sys/vm/drop_caches before each read,
 * with blocks, image and tree all on the same disk. `backed`: the same, but image, blocks and tree were read before, so
 * that only the way itself is measured and not the disk.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { MNT_DETACH, MS_RDONLY, mount, unmount } from '../blocks/libc.ts';
import { type Bed, LARGE_FILE, makeBed } from './read-volume.ts';
import { finish, median, table } from './report.ts';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, json: { type: 'string' } },
});
const rounds = Number(options.rounds);
const HOLDER = fileURLToPath(new URL('../snapshotter/fuse/holder.sh', import.meta.url));
const RANDOM_READS = 4000;

/** A way to the tree. */
interface Way {
  name: string;
  /** Where the tree is. */
  point: string;
  /** What its reads end in, to be read before a `backed` run. */
  backing: string;
  /** Resident memory of its server now. */
  residentMb(): number;
  end(): Promise<void>;
}

type Transport = 'kernel' | 'fuse-native';

async function mounted(dir: string, name: string, file: string, loop: boolean): Promise<string> {
  const point = join(dir, name);
  mkdirSync(point);
  if (loop) execFileSync('mount', ['-t', 'erofs', '-o', 'ro,loop', file, point]);
  else await mount(file, point, 'erofs', MS_RDONLY, '');
  return point;
}

async function native(dir: string, name: string, bed: Bed, loop: boolean): Promise<Way> {
  const point = await mounted(dir, name, bed.image, loop);
  return { name, point, backing: bed.image, residentMb: () => 0, end: () => unmount(point, MNT_DETACH) };
}

function overlay(dir: string, bed: Bed): Way {
  const [point, empty] = [join(dir, 'overlay'), join(dir, 'empty')];
  for (const folder of [point, empty]) mkdirSync(folder);
  execFileSync('mount', ['-t', 'overlay', '-o', `ro,lowerdir=${empty}:${bed.tree}`, 'overlay', point]);
  return {
    name: 'overlayfs',
    point,
    backing: bed.tree,
    residentMb: () => 0,
    end: () => unmount(point, MNT_DETACH),
  };
}

async function forage(dir: string, bed: Bed, transport: Transport): Promise<Way> {
  const run = join(dir, `run-${transport}`);
  const holder = spawn('sh', [HOLDER, '/nonexistent'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      FORAGE_ROOT: bed.root,
      FORAGE_RUN: run,
      FORAGE_TRANSPORT: transport,
      NODE_COMPILE_CACHE: join(cacheFolder, 'compile-cache'),
    },
  });
  const file = join(run, 'volumes', bed.volume);
  while (!existsMount(join(run, 'volumes'))) await pause(20);
  while ((await stat(file).catch(() => undefined)) === undefined) await pause(20);
  const point = await mounted(dir, `forage-${transport}`, file, false);
  return {
    name: `forage, ${transport}`,
    point,
    backing: join(bed.root, 'blocks'),
    residentMb: () => residentMb(serverOf(holder.pid!)),
    end: async () => {
      await unmount(point, MNT_DETACH);
      process.kill(-holder.pid!, 'SIGKILL');
      spawnSync('umount', ['-i', '-c', '-l', join(run, 'volumes')]);
    },
  };
}

function existsMount(point: string): boolean {
  return readFileSync('/proc/self/mountinfo', 'utf8').includes(` ${point} `);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function serverOf(holder: number): number {
  return Number(readFileSync(`/proc/${holder}/task/${holder}/children`, 'utf8').trim().split(' ').at(-1));
}

function residentMb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1000;
}

function dropCaches(): void {
  execFileSync('sync');
  writeFileSync('/proc/sys/vm/drop_caches', '3');
}

/** Milliseconds of a command. It runs in a process of its own: this one must not hold a server up. */
function timed(command: string): number {
  const start = performance.now();
  execFileSync('sh', ['-c', command], { stdio: ['ignore', 'ignore', 'inherit'] });
  return performance.now() - start;
}

const wholeTree = (point: string) => timed(`find '${point}' -type f -print0 | xargs -0 cat`);
const sequential = (point: string) => timed(`cat '${join(point, LARGE_FILE)}'`);

/** Reads of 4 KiB at the same places each time; microseconds of the median and of the 99th percentile. */
function random(point: string): { p50: number; p99: number } {
  const file = openSync(join(point, LARGE_FILE), 'r');
  const into = Buffer.alloc(4096);
  const us: number[] = [];
  let x = 2463534242;
  for (let i = 0; i < RANDOM_READS; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    const start = performance.now();
    readSync(file, into, 0, 4096, ((x >>> 0) % 25_600) * 4096);
    us.push((performance.now() - start) * 1000);
  }
  closeSync(file);
  us.sort((a, b) => a - b);
  return { p50: median(us), p99: us[Math.floor(us.length * 0.99)]! };
}

function cold(way: Way, backed: boolean): void {
  dropCaches();
  if (backed) timed(`find '${way.backing}' -type f -print0 | xargs -0 cat`);
}

function measure(way: Way): Record<string, number> {
  cold(way, false);
  const treeCold = wholeTree(way.point);
  const treeWarm = Math.min(wholeTree(way.point), wholeTree(way.point));
  cold(way, true);
  const treeBacked = wholeTree(way.point);
  cold(way, false);
  const sequentialCold = sequential(way.point);
  const sequentialWarm = sequential(way.point);
  cold(way, false);
  const randomCold = random(way.point);
  cold(way, true);
  const randomBacked = random(way.point);
  return {
    'tree cold ms': treeCold,
    'tree backed ms': treeBacked,
    'tree warm ms': treeWarm,
    'sequential cold ms': sequentialCold,
    'sequential warm ms': sequentialWarm,
    'random cold p50 us': randomCold.p50,
    'random cold p99 us': randomCold.p99,
    'random backed p50 us': randomBacked.p50,
    'random backed p99 us': randomBacked.p99,
  };
}

const cacheFolder = process.env.FORAGE_CACHE ?? '/var/cache/forage-dev';
mkdirSync(cacheFolder, { recursive: true });
const bed = await makeBed(join(cacheFolder, 'bench-read'));
const dir = mkdtempSync('/run/forage-bench-');
const ways: Way[] = [];
try {
  ways.push(await native(dir, 'EROFS, file', bed, false), await native(dir, 'EROFS, loop', bed, true));
  ways.push(overlay(dir, bed));
  ways.push(await forage(dir, bed, 'kernel'), await forage(dir, bed, 'fuse-native'));
  const samples = new Map(ways.map((way) => [way, [] as Record<string, number>[]]));
  const first = new Map<Way, number>();
  for (const way of ways.filter(({ name }) => name.startsWith('forage'))) {
    cold(way, false);
    first.set(way, wholeTree(way.point));
  }
  for (let round = 0; round < rounds; round++) for (const way of ways) samples.get(way)!.push(measure(way));
  const taken = (way: Way, what: string) => median(samples.get(way)!.map((sample) => sample[what]!));
  const rows = Object.keys(samples.get(ways[0]!)![0]!).map((what) => ({
    what,
    ...Object.fromEntries(ways.map((way) => [way.name, taken(way, what)])),
  }));
  const servers = ways.slice(-2).map((way) => ({
    server: way.name,
    'first tree read, with hashing, ms': first.get(way)!,
    'resident MB': way.residentMb(),
  }));
  console.log(`${table(rows)}\n\n${table(servers)}\n`);
  const [erofs, , , kernel] = ways;
  const ratio = (what: string) => taken(kernel!, what) / taken(erofs!, what);
  // Warm reads end in the same pages, whatever the way: only the best of each tells of more than the machine's other work.
  const best = (way: Way) => Math.min(...samples.get(way)!.map((sample) => sample['tree warm ms']!));
  finish(
    { rounds, rows, servers },
    [
      { what: 'whole tree, cold: ratio to EROFS', value: ratio('tree cold ms'), atMost: 1.7 },
      { what: 'whole tree, warm: ratio to EROFS', value: best(kernel!) / best(erofs!), atMost: 1.15 },
      { what: 'volume server, resident MB', value: servers[0]!['resident MB'], atMost: 70 },
    ],
    options.json,
  );
} finally {
  for (const way of ways) await way.end();
  rmSync(dir, { recursive: true, force: true });
}
