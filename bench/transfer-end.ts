/**
 * One end of bench/transfer.ts, a process of its own so that it can run in another network namespace.
 *
 *   node transfer-end.ts serve FOLDER MEDIUM ADDRESS MEGABYTES      serves random blocks, and the same bytes as one file over HTTPS;
 *                                                         prints one line of JSON, ends with its standard input
 *   node transfer-end.ts fetch FOLDER MEDIUM                     standard input: a FetchOrder; prints one line of JSON
 *
 * FOLDER holds node.crt, node.key and ca.crt; MEDIUM is where the blocks are: `disk` or `memory`.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockIdOf, verifyBlock } from '../blocks/block.ts';
import { MemoryBlockStore } from '../blocks/memory.ts';
import { openBlockStore } from '../blocks/store.ts';
import type { BlockId } from '../blocks/types.ts';
import { openVolumeStore } from '../blocks/volumes.ts';
import { realClock } from '../peers/clock.ts';
import { answering } from '../peers/directory/answering.ts';
import { startPeerServer } from '../peers/exchange/server.ts';
import { loadIdentity } from '../peers/identity/identity.ts';
import { createNeighbours } from '../peers/neighbours.ts';
import type { Log, Neighbours } from '../peers/types.ts';
import { emptyDirectory, nobody } from './nobody.ts';

export type Medium = 'disk' | 'memory';

export interface Served {
  name: string;
  port: number;
  httpsPort: number;
  ids: BlockId[];
}

/** What `fetch` is told on its standard input. It fetches all of them in each round, into an empty store. */
export interface FetchOrder {
  name: string;
  address: string;
  ids: BlockId[];
  rounds: number;
}

/** One round; `fetch` prints a list of them. */
export interface Fetched {
  bytes: number;
  seconds: number;
  /** Processor time of this end. */
  cpuSeconds: number;
  /** How long blocks took that were demanded while all others were under way. */
  demandMs: number[];
}

/** About the mean that the chunker cuts. */
const BLOCK_BYTES = 128 * 1024;
/** Blocks demanded in a round while the rest is under way. */
const DEMANDS = 16;
const DEMAND_PAUSE_MS = 10;
const HTTPS_READ_BYTES = 1 << 20;

const complain = (fields: unknown, message?: string) => console.error(message, fields);
const log = { debug() {}, info() {}, warn: complain, error: complain } as unknown as Log;
const [role, folder, medium, address, megabytes] = process.argv.slice(2);
const identityFiles = {
  cert: join(folder!, 'node.crt'),
  key: join(folder!, 'node.key'),
  ca: join(folder!, 'ca.crt'),
};

async function stores(name: string, medium: Medium) {
  const dir = join(folder!, name);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const blocks = medium === 'disk' ? await openBlockStore(join(dir, 'blocks')) : new HeldBlocks();
  return { dir, blocks, volumes: await openVolumeStore(join(dir, 'volumes')) };
}

/** Blocks are served from memory; one that arrives is checked, and let go: what is measured is the way, not a copy at its end. */
class HeldBlocks extends MemoryBlockStore {
  readonly #held = new Map<BlockId, Buffer>();

  constructor() {
    super(() => {});
  }

  override has(id: BlockId): boolean {
    return this.#held.has(id);
  }

  override async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    verifyBlock(id, bytes);
    if (role === 'serve') this.#held.set(id, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  override async get(id: BlockId): Promise<Buffer | undefined> {
    return this.#held.get(id);
  }
}

async function serve(): Promise<void> {
  const { dir, blocks, volumes } = await stores('served', medium as Medium);
  const identity = await loadIdentity(identityFiles);
  const file = join(dir, 'file');
  const out = createWriteStream(file);
  const ids: BlockId[] = [];
  for (let i = 0; i * BLOCK_BYTES < Number(megabytes) * 1e6; i++) {
    const bytes = randomBytes(BLOCK_BYTES);
    const id = blockIdOf(bytes);
    ids.push(id);
    await blocks.put(id, bytes);
    if (!out.write(bytes)) await new Promise<void>((drained) => out.once('drain', () => drained()));
  }
  await new Promise<void>((done) => out.end(done));
  await blocks.sync();
  const { port } = await startPeerServer({
    identity,
    isRevoked: nobody,
    listen: `${address}:0`,
    blocks,
    volumes,
    directory: answering(await emptyDirectory(identity, log)),
    pin: async () => [],
    log,
  });
  const https = createServer({ ...identity, minVersion: 'TLSv1.3' }, (_request, response) => {
    createReadStream(file, { highWaterMark: HTTPS_READ_BYTES }).pipe(response);
  });
  await new Promise<void>((listening) => https.listen(0, address, () => listening()));
  const served: Served = { name: identity.name, port, httpsPort: (https.address() as AddressInfo).port, ids };
  console.log(JSON.stringify(served));
  process.stdin.resume().on('end', () => process.exit());
}

/** One block after the other, with a container's pause in between. Answers how long each took. */
async function demand(neighbours: Neighbours, ids: readonly BlockId[]): Promise<number[]> {
  const tookMs: number[] = [];
  for (const id of ids) {
    await sleep(DEMAND_PAUSE_MS);
    const begunMs = performance.now();
    await neighbours.want(id, 'demand');
    tookMs.push(performance.now() - begunMs);
  }
  return tookMs;
}

async function fetch(): Promise<void> {
  const { name, address, ids, rounds } = JSON.parse(await text(process.stdin)) as FetchOrder;
  const identity = await loadIdentity(identityFiles);
  const results: Fetched[] = [];
  for (let round = 0; round < rounds; round++) {
    const { dir, blocks, volumes } = await stores('fetched', medium as Medium);
    const neighbours = createNeighbours({
      identity,
      isRevoked: nobody,
      directory: await emptyDirectory(identity, log),
      discovery: { publish: async () => {}, subscribe: () => () => {} },
      trust: { kind: 'signed' },
      blocks,
      volumes,
      waitMs: 60_000,
      clock: realClock,
      log,
    });
    neighbours.follow([{ name, service: address, state: { kind: 'alive' } }]);
    while (neighbours.peers()[0]?.state !== 'up') await new Promise((next) => setTimeout(next, 1));
    const before = process.cpuUsage();
    const begunMs = performance.now();
    const background = Promise.all(ids.slice(DEMANDS).map((id) => neighbours.want(id, 'completion')));
    const demandMs = await demand(neighbours, ids.slice(0, DEMANDS));
    await background;
    const seconds = (performance.now() - begunMs) / 1000;
    const { user, system } = process.cpuUsage(before);
    const cpuSeconds = (user + system) / 1e6;
    results.push({ bytes: neighbours.fetchedBytes(), seconds, cpuSeconds, demandMs });
    neighbours.close();
    await rm(dir, { recursive: true });
  }
  console.log(JSON.stringify(results));
}

await (role === 'serve' ? serve() : fetch());
