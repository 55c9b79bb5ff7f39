/**
 * The client of bench/migrate.ts, run on a machine of the cluster: fills a redis with noise, then asks it so many times a second while it moves,
 * and says how it went as JSON. Where its connection ends, it looks for the redis on each of its nodes in turn, as clients do.
 *
 *   node migrate-client.ts fill HOST MEGABYTES
 *   node migrate-client.ts load STOP_FILE REQUESTS_PER_SECOND HOST...     until there is such a file
 *   node migrate-client.ts check HOST MEGABYTES
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const PORT = 6379;
const VALUE_BYTES = 16 << 10;
const IN_FLIGHT = 64;
const RETRY_MS = 10;

/** The value of the key, which tells whether it is still that. */
function noise(i: number): Buffer {
  const blocks = Array.from({ length: VALUE_BYTES / 64 }, (_, n) =>
    createHash('sha512').update(`${i} ${n}`).digest(),
  );
  return Buffer.concat(blocks);
}

/** In redis's protocol. */
function command(...words: (string | Buffer)[]): Buffer {
  const parts = words.flatMap((word) => [
    Buffer.from(`$${word.length}\r\n`),
    Buffer.from(word),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([Buffer.from(`*${words.length}\r\n`), ...parts]);
}

/** A connection whose replies come in the order of its requests. */
class Redis {
  readonly #socket: Socket;
  readonly #waiting: ((reply: Buffer | undefined) => void)[] = [];
  #rest = Buffer.alloc(0);
  isOpen = true;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#read(bytes));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isOpen = false;
      for (const done of this.#waiting.splice(0)) done(undefined);
    });
  }

  /** undefined: nobody is there. */
  static open(host: string): Promise<Redis | undefined> {
    return new Promise((done) => {
      const socket = connect({ host, port: PORT });
      const timer = setTimeout(() => socket.destroy(), 500);
      socket.once('connect', () => {
        clearTimeout(timer);
        done(new Redis(socket));
      });
      socket.once('error', () => done(undefined));
      socket.once('close', () => done(undefined));
    });
  }

  /** undefined: the connection has ended before. */
  ask(...words: (string | Buffer)[]): Promise<Buffer | undefined> {
    return new Promise((done) => {
      if (!this.isOpen) return done(undefined);
      this.#waiting.push(done);
      this.#socket.write(command(...words));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end < 0) return;
      let [from, to] = [0, end];
      if (this.#rest[0] === 0x24) {
        const length = Number(this.#rest.toString('latin1', 1, end));
        [from, to] = length < 0 ? [0, 0] : [end + 2, end + 2 + length];
        if (this.#rest.length < to + 2) return;
      }
      this.#waiting.shift()?.(this.#rest.subarray(from, to));
      this.#rest = this.#rest.subarray(Math.max(to, end) + 2);
    }
  }
}

async function opened(host: string): Promise<Redis> {
  const redis = await Redis.open(host);
  if (!redis) throw new Error(`no redis at ${host}`);
  return redis;
}

async function each(count: number, work: (i: number) => Promise<void>): Promise<void> {
  const numbers = Array(count).keys();
  const worker = async () => {
    for (const i of numbers) await work(i);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const keysIn = (megabytes: string) => Math.floor((Number(megabytes) * 1e6) / VALUE_BYTES);

async function fill(host: string, megabytes: string): Promise<object> {
  const redis = await opened(host);
  await each(keysIn(megabytes), async (i) => void (await redis.ask('SET', `key:${i}`, noise(i))));
  redis.close();
  return { keys: keysIn(megabytes) };
}

async function check(host: string, megabytes: string): Promise<object> {
  const redis = await opened(host);
  let wrong = 0;
  await each(keysIn(megabytes), async (i) => {
    if (!(await redis.ask('GET', `key:${i}`))?.equals(noise(i))) wrong++;
  });
  redis.close();
  return { keys: keysIn(megabytes), wrong };
}

async function load(stopFile: string, perSecond: string, ...hosts: string[]): Promise<object> {
  const sent = { asked: 0, answered: 0, lost: 0, refused: 0 };
  const latencies: number[] = [];
  let lastMs = performance.now();
  /** The longest times without an answer, in their order: it is frozen twice, for the first dump and for the move. */
  let pauses: { atMs: number; ms: number }[] = [];
  let redis: Redis | undefined;
  let isOver = false;
  const connecting = (async () => {
    for (let i = 0; !isOver; i++) {
      redis = await Redis.open(hosts[i % hosts.length]!);
      while (redis?.isOpen && !isOver) await sleep(RETRY_MS / 2);
      await sleep(RETRY_MS);
    }
    redis?.close();
  })();
  const one = async () => {
    sent.asked++;
    if (!redis?.isOpen) {
      sent.refused++;
      return;
    }
    const sinceMs = performance.now();
    const reply = await redis.ask('INCR', 'load');
    if (!reply) {
      sent.lost++;
      return;
    }
    sent.answered++;
    const nowMs = performance.now();
    latencies.push(nowMs - sinceMs);
    pauses.push({ atMs: nowMs, ms: nowMs - lastMs });
    pauses = pauses.sort((a, b) => b.ms - a.ms).slice(0, 2);
    lastMs = nowMs;
  };
  while (!redis) await sleep(RETRY_MS);
  const beginMs = performance.now();
  lastMs = beginMs;
  for (let due = 0; !existsSync(stopFile); await sleep(1)) {
    for (const now = ((performance.now() - beginMs) * Number(perSecond)) / 1000; due < now; due++) void one();
  }
  await sleep(1000);
  isOver = true;
  await connecting;
  latencies.sort((a, b) => a - b);
  return {
    ...sent,
    pausesMs: pauses.sort((a, b) => a.atMs - b.atMs).map(({ ms }) => ms),
    p50Ms: latencies[latencies.length >> 1],
    p99Ms: latencies[Math.floor(latencies.length * 0.99)],
  };
}

const [verb = '', ...args] = process.argv.slice(2);
const verbs: Record<string, (...args: string[]) => Promise<object>> = {
  fill: (host = '', megabytes = '') => fill(host, megabytes),
  check: (host = '', megabytes = '') => check(host, megabytes),
  load: (stopFile = '', perSecond = '', ...hosts) => load(stopFile, perSecond, ...hosts),
};
console.log(JSON.stringify(await verbs[verb]!(...args)));
