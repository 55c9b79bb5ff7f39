/**
 * One node of bench/sources.ts and bench/swarm.ts: a process of its own, so that it can run in its own network namespace. It
 * is driven by lines of JSON on its standard input, each answered by one line.
 *
 *   node sources-end.ts FOLDER NAME ADDRESS      FOLDER/NAME holds node.crt, node.key and ca.crt
 *
 * Blocks are the same on every node, made from their numbers, so none has to be told their ids.
 */
import { createCipheriv } from 'node:crypto';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockIdOf } from '../blocks/block.ts';
import { MemoryBlockStore } from '../blocks/memory.ts';
import type { BlockId, VolumeStore } from '../blocks/types.ts';
import { realClock } from '../peers/clock.ts';
import { answering } from '../peers/directory/answering.ts';
import { startPeerServer } from '../peers/exchange/server.ts';
import { clientTls } from '../peers/exchange/tls.ts';
import { Holders } from '../peers/holders.ts';
import { loadIdentity } from '../peers/identity/identity.ts';
import { Link } from '../peers/link.ts';
import { Owners } from '../peers/placement/owners.ts';
import { shardOf } from '../peers/placement/shards.ts';
import { Task } from '../peers/task.ts';
import type { Log } from '../peers/types.ts';
import { emptyDirectory, nobody } from './nobody.ts';
import { CLEAR, Relay, type RelayManner } from './sources-relay.ts';

export const BENCH_PORT = 7400;

export interface Setup {
  blocks: { count: number; sizeBytes: number };
  /** Has all blocks from the start. */
  holds: boolean;
  /** Those who ask it come through a relay, which `trouble` can make a bad one. */
  relayed: boolean;
}

export interface Neighbourhood {
  /** Whom it asks. */
  neighbours: { name: string; host: string }[];
  /** Names of those that have the whole volume. */
  whole: string[];
  /** Members among whom each block has its owners; none: no placement. */
  members: string[];
  replicas: number;
}

export interface FetchOrder {
  /** Numbers of blocks, from and to. */
  from: number;
  to: number;
  priority: 'demand' | 'completion';
  /** Wants under way at once, and a reader's pause after each. */
  atOnce: number;
  pauseMs: number;
}

export interface Fetched {
  seconds: number;
  bytes: number;
  cpuSeconds: number;
  /** Of each want, in the order of asking. */
  tookMs: number[];
}

/** A question on standard input; the answer to each is a line. */
export type Command =
  | { do: 'setup'; setup: Setup }
  | { do: 'join'; neighbourhood: Neighbourhood }
  | { do: 'fetch'; order: FetchOrder }
  /** Blocks that are asked of it are never answered from now on, though it lives. */
  | { do: 'stall' }
  /** What it sends comes late, or stands still now and then. */
  | { do: 'trouble'; manner: RelayManner }
  /** Resolves when nothing is asked any more of the neighbour of that name; says when (milliseconds since 1970). */
  | { do: 'awaitGone'; name: string }
  /** Forgets what it has fetched. */
  | { do: 'forget' }
  | { do: 'served' };

const [folder, name, address] = process.argv.slice(2) as [string, string, string];
const ROOT = '0'.repeat(64);
const complain = (fields: unknown, message?: string) => {
  if (process.env.BENCH_VERBOSE) console.error(name, message, fields);
};
const log = { debug() {}, info() {}, warn: complain, error: complain } as unknown as Log;

/** No neighbour of a benchmark asks for a volume. */
const noVolumes = { has: () => false, get: async () => undefined } as unknown as VolumeStore;

class Blocks extends MemoryBlockStore {
  stalled: Promise<void> | undefined;

  constructor() {
    super(() => {});
  }

  override async get(id: BlockId): Promise<Buffer | undefined> {
    await this.stalled;
    return super.get(id);
  }
}

function blockOf(number: number, sizeBytes: number): Buffer {
  const key = Buffer.alloc(32, number + 1);
  key.writeUInt32BE(number);
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(sizeBytes));
}

class Node {
  readonly blocks = new Blocks();
  readonly #holders = new Holders();
  readonly #links: Link[] = [];
  #ids: BlockId[] = [];
  #task: Task | undefined;
  #served: () => number = () => 0;
  readonly #relay = new Relay(CLEAR);

  async setup({ blocks, holds, relayed }: Setup): Promise<void> {
    for (let i = 0; i < blocks.count; i++) {
      const bytes = blockOf(i, blocks.sizeBytes);
      const id = blockIdOf(bytes);
      this.#ids.push(id);
      if (holds) await this.blocks.put(id, bytes);
    }
    const identity = await this.#identity();
    const server = await startPeerServer({
      identity,
      listen: relayed ? '127.0.0.1:0' : `${address}:${BENCH_PORT}`,
      blocks: this.blocks,
      volumes: noVolumes,
      isRevoked: nobody,
      directory: answering(await emptyDirectory(identity, log)),
      pin: async () => [],
      arriving: (id, then) => this.#task?.arriving(id, then),
      log,
    });
    this.#served = server.servedBytes;
    if (relayed) await this.#relay.listen(server.port, address, BENCH_PORT);
  }

  async join({ neighbours, whole, members, replicas }: Neighbourhood): Promise<void> {
    const identity = await this.#identity();
    const tls = clientTls(identity, nobody);
    const onChange = () => this.#task?.membershipChanged();
    for (const { name, host } of neighbours) {
      this.#links.push(
        new Link({ name, address: `${host}:${BENCH_PORT}`, tls, clock: realClock, log, onChange }),
      );
    }
    const owners = Owners.of(
      members.map((member) => ({ name: member, capacityBytes: 1e9 })),
      replicas,
    );
    const placement = { self: name, owners: (id: BlockId) => owners.of(shardOf(id)) };
    this.#task = new Task({
      links: this.#links,
      blocks: this.blocks,
      holders: this.#holders,
      waitMs: 120_000,
      clock: realClock,
      log,
      ...(members.length > 0 && { placement }),
    });
    for (const link of this.#links) link.start();
    // Twenty nodes that all connect to each other on two cores take their time.
    while (this.#links.some(({ client }) => client === undefined)) await sleep(5);
    for (const holder of whole) this.#holders.learn({ root: ROOT, origin: 'ingested' }, holder);
  }

  async fetch({ from, to, priority, atOnce, pauseMs }: FetchOrder): Promise<Fetched> {
    const ids = this.#ids.slice(from, to);
    const tookMs: number[] = [];
    const queue = ids.values();
    const task = this.#task!;
    const [bytesBefore, cpuBefore, begunMs] = [task.fetchedBytes, process.cpuUsage(), performance.now()];
    const worker = async () => {
      for (const id of queue) {
        const askedMs = performance.now();
        await task.want(id, priority, undefined, ROOT);
        tookMs.push(performance.now() - askedMs);
        if (pauseMs > 0) await sleep(pauseMs);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    const { user, system } = process.cpuUsage(cpuBefore);
    return {
      seconds: (performance.now() - begunMs) / 1000,
      bytes: task.fetchedBytes - bytesBefore,
      cpuSeconds: (user + system) / 1e6,
      tookMs,
    };
  }

  stall(): void {
    this.blocks.stalled = new Promise(() => {});
  }

  trouble(manner: RelayManner): void {
    this.#relay.manner = manner;
  }

  async awaitGone(gone: string): Promise<number> {
    while (this.#links.some((link) => link.name === gone && link.client && !link.isDoubtful)) await sleep(2);
    return Date.now();
  }

  async forget(): Promise<void> {
    for (const id of this.#ids) await this.blocks.remove(id);
  }

  served(): number {
    return this.#served();
  }

  #identity() {
    const dir = join(folder, name);
    return loadIdentity({ cert: join(dir, 'node.crt'), key: join(dir, 'node.key'), ca: join(dir, 'ca.crt') });
  }
}

async function answer(node: Node, command: Command): Promise<unknown> {
  switch (command.do) {
    case 'setup':
      return node.setup(command.setup);
    case 'join':
      return node.join(command.neighbourhood);
    case 'fetch':
      return node.fetch(command.order);
    case 'stall':
      return node.stall();
    case 'trouble':
      return node.trouble(command.manner);
    case 'awaitGone':
      return node.awaitGone(command.name);
    case 'forget':
      return node.forget();
    case 'served':
      return node.served();
  }
}

if (import.meta.main) {
  const node = new Node();
  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const { number, command } = JSON.parse(line) as { number: number; command: Command };
    answer(node, command).then(
      (value) => console.log(JSON.stringify({ number, value })),
      (error: Error) => console.log(JSON.stringify({ number, error: error.message })),
    );
  });
  lines.on('close', () => process.exit());
}
