/**
 * How long does a client wait while its redis moves? A redis full of noise on n1, asked many times a second by a client on n3, is moved to n2 and back
 * by `forage migrate`, whole and lazily. Told are the pause that the client has seen, the requests that had no answer, and the phases. The limit is
 * the link: the memory's bytes at its rate.
 *
 *   hack/cluster up 3 --name migrate --link 1gbit
 *   node bench/migrate.ts --name migrate [--megabytes 1000] [--json FILE]
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Cluster, eventually, forgetAll, pushImages } from '../integration/lib/cluster.ts';
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
const { megabytes } = options;
const PER_SECOND = 1000;
const CLIENT = '/tmp/migrate-client.ts';
const STOP = '/tmp/migrate-client.stop';
/** Of load before and after. */
const AROUND_MS = 3000;

interface Load {
  asked: number;
  answered: number;
  lost: number;
  refused: number;
  /** For the first dump, and for the move. */
  pausesMs: [number, number];
  p50Ms: number;
  p99Ms: number;
}

interface Moved {
  prepared_ms: number;
  dumped_ms: number;
  paused_ms: number;
  running_ms: number;
  complete_ms: number;
  memory_bytes: number;
}

const client = async <T>(...args: string[]): Promise<T> =>
  JSON.parse(
    await cluster.sh('n3', `/usr/lib/forage/node_modules/node/bin/node ${CLIENT} ${args.join(' ')}`),
  ) as T;

async function start(): Promise<string> {
  await pushImages(cluster, ['redis']);
  await forgetAll(cluster, 'n1', 'n2', 'n3');
  await cluster.sh('n3', `cat > ${CLIENT}`, {
    input: readFileSync(new URL('migrate-client.ts', import.meta.url), 'utf8'),
  });
  await cluster.sh(
    'n1',
    `nerdctl --snapshotter forage run -d -q --net host --runtime /usr/bin/forage-runc --name redis registry:5000/redis redis-server --save "" --protected-mode no`,
  );
  await eventually(
    'redis answers',
    async () => (await cluster.run('n1', ['nerdctl', 'exec', 'redis', 'redis-cli', 'ping'])).status === 0,
  );
  await client('fill', 'n1', megabytes);
  return (await cluster.sh('n1', 'nerdctl ps -q --no-trunc --filter name=redis')).trim();
}

async function move(id: string, from: string, to: string, ...flags: string[]) {
  await cluster.sh('n3', `rm -f ${STOP}`);
  const loading = client<Load>('load', STOP, String(PER_SECOND), from, to);
  await sleep(AROUND_MS);
  const moved = JSON.parse(
    await cluster.sh(from, `forage migrate ${id} --to ${to} --json ${flags.join(' ')}`),
  ) as Moved;
  await sleep(AROUND_MS);
  await cluster.sh('n3', `touch ${STOP}`);
  const load = await loading;
  const { wrong } = await client<{ wrong: number }>('check', to, megabytes);
  if (wrong > 0) throw new Error(`${wrong} values are others than before`);
  return { how: `${from} to ${to}${flags.length > 0 ? ', lazy' : ''}`, ...moved, ...load };
}

const linkBytesPerSecond = (await linkRates(cluster)).get('n1')!;
const id = await start();
const linkSeconds = (Number(megabytes) * 1e6) / linkBytesPerSecond;
const rows = [
  await move(id, 'n1', 'n2'),
  await move(id, 'n2', 'n1'),
  await move(id, 'n1', 'n2', '--lazy'),
  await move(id, 'n2', 'n1', '--lazy'),
];
console.log(
  `\n${megabytes} MB of redis, ${PER_SECOND} requests a second; the link takes ${linkSeconds.toFixed(1)} s for its memory\n`,
);
console.log(
  `${table(
    rows.map((row) => ({
      move: row.how,
      'pause, ms': Math.round(row.pausesMs[1]),
      'for the first dump, ms': Math.round(row.pausesMs[0]),
      lost: row.lost + row.refused,
      'of requests': row.asked,
      'ahead, ms': Math.round(row.prepared_ms),
      'dumped, ms': Math.round(row.dumped_ms),
      'runs there, ms': Math.round(row.paused_ms),
      'complete, ms': Math.round(row.dumped_ms + row.complete_ms),
      'p50, ms': row.p50Ms,
      'p99, ms': row.p99Ms,
    })),
  )}\n`,
);
finish(
  { rows, linkSeconds },
  rows.map(({ how, pausesMs }) => ({ what: `pause, ${how}, ms`, value: pausesMs[1], atMost: 1000 })),
  options.json,
);
