/**
 * A simulated cluster: its machines, what they share (time, chance, network, directory, judge), and what can be done to it. All
 * follows from the seed. What is done is noted, so that a failure can be told.
 */
import type { BlockId, Root } from '../../blocks/types.ts';
import type { Held, SignedRecord } from '../../peers/directory/types.ts';
import { seedOf } from '../../peers/placement/shards.ts';
import type { Log } from '../../peers/types.ts';
import { makeImage, type SimBlock, type SimImage, type SimVolume } from './images.ts';
import { tablesOf } from './membership.ts';
import { Network, type PortOptions } from './network.ts';
import { SimNode } from './node.ts';
import { Oracle } from './oracle.ts';
import { Random } from './random.ts';
import { RecordPool } from './record-store.ts';
import { layerOf, refOf, SimVerifier } from './records.ts';
import { VirtualTime } from './time.ts';

/** Ways to break what the nodes rely on: the simulator must find each of them out. */
export const SABOTAGES = [
  /** Nobody is asked for pins, everybody is believed to have given them. */
  'pins are invented',
  /** Whoever has a block confirms it: no matter who owns it or drops it, and nothing is pinned. */
  'whoever has a block confirms it',
  /** Disks say that a block is written when it is not. */
  'disks lie',
  /** Blocks are taken for what they are called. */
  'blocks are not checked',
  /** Whatever is signed by anybody is taken. */
  'forged records are believed',
  /** A directory that has lost its removals, of what is removed already. */
  'removals are forgotten',
] as const;

export type Sabotage = (typeof SABOTAGES)[number];

export interface WorldOptions {
  seed: number;
  nodes: number;
  replicas: number;
  sabotage?: Sabotage | undefined;
}

const MIB = 1 << 20;
const CAPACITY_BYTES = 256 * MIB;
const MAX_WEIGHT = 4;
const NOTES_MAX = 60;
const DEMANDS_AT_ONCE = 4;

export class World {
  readonly seed: number;
  readonly replicas: number;
  readonly sabotage: Sabotage | undefined;
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly verifier: SimVerifier;
  readonly oracle: Oracle;
  readonly tables: ReturnType<typeof tablesOf>;
  readonly nodes: SimNode[] = [];
  readonly records = new RecordPool();
  readonly images = new Set<SimImage>();
  /** Forged records. */
  readonly lies = new WeakSet<SignedRecord>();
  readonly removedImages = new Set<SimImage>();
  /** Who may have become reachable, or not so, in the order of time. */
  readonly changes: (SimNode | 'all')[] = [];
  readonly idleMs = 60_000;
  readonly fetchBytesPerSecond = 4 * MIB;
  readonly counts = {
    /** Crashes, cut networks, lies and the like. */
    faults: 0,
    /** Questions for pins, and blocks that they were about. */
    asks: 0,
    askedBlocks: 0,
    /** Requests for blocks, and for indexes, that somebody has. */
    blockAsks: 0,
    indexAsks: 0,
    /** Exchanges of records. */
    pulls: 0,
    /** Bytes of blocks that came, also those that came twice. */
    receivedBytes: 0,
    demand: { blocks: 0, bytes: 0 },
    repair: { blocks: 0, bytes: 0 },
    ingestedBytes: 0,
  };
  readonly notes: string[] = [];
  readonly #volumes = new Map<Root, SimVolume>();
  readonly #byName = new Map<string, SimNode>();
  /** No more faults, and nobody comes back any more. */
  isCalm = false;
  #imagesMade = 0;

  constructor({ seed, nodes, replicas, sabotage }: WorldOptions) {
    this.seed = seed;
    this.replicas = replicas;
    this.sabotage = sabotage;
    this.random = new Random(seed, 1);
    this.network = new Network(this.time, new Random(seed, 2));
    this.verifier = new SimVerifier(sabotage !== 'forged records are believed');
    this.oracle = new Oracle(replicas);
    this.tables = tablesOf(replicas);
    this.time.afterEvent = () => this.oracle.check();
    for (let i = 0; i < nodes; i++) this.join();
  }

  note(what: string): void {
    this.notes.push(`${(this.time.nowMs / 1000).toFixed(1)} s: ${what}`);
    if (this.notes.length > NOTES_MAX) this.notes.shift();
  }

  log(node: SimNode): Log {
    const ignore = () => {};
    const error = (detail: object) =>
      this.oracle.report(`${node.name}: ${String((detail as { err?: unknown }).err)}`);
    return { debug: ignore, info: ignore, warn: ignore, error } as Log;
  }

  node(name: string): SimNode {
    return this.#byName.get(name)!;
  }

  running(): SimNode[] {
    return this.nodes.filter((node) => node.process && !node.isLeaving);
  }

  /** Only that node's disk has something that has been said. */
  isOnlyWith(node: SimNode): boolean {
    const others = this.nodes.filter((other) => other !== node);
    for (const id of node.records.all()) if (!others.some(({ records }) => records.has(id))) return true;
    return false;
  }

  join(): SimNode {
    const { random } = this;
    const name = `n${this.nodes.length + 1}`;
    const port: PortOptions = {
      upBytesPerSecond: random.between(5, 50) * MIB,
      downBytesPerSecond: random.between(5, 50) * MIB,
      latencyMs: random.between(0.5, 20),
      loss: random.chance(0.1) ? 0.01 : 0,
    };
    const node = new SimNode(this, name, this.nodes.length, capacityOf(name), this.network.port(name, port));
    if (this.sabotage === 'disks lie') node.disk.syncs = false;
    if (this.sabotage === 'blocks are not checked') node.disk.checks = false;
    this.nodes.push(node);
    this.#byName.set(name, node);
    this.start(node);
    return node;
  }

  start(node: SimNode): void {
    node.port.on = true;
    void node.start();
  }

  /** Somebody can or cannot be reached any more, or all: the others notice in time. */
  changed(what: SimNode | 'all'): void {
    this.changes.push(what);
    for (const node of this.nodes) node.members.noticeSoon();
  }

  volume(root: Root): SimVolume {
    return this.#volumes.get(root)!;
  }

  /** Requests for what nobody has, or whose holders are all down, are not counted. */
  asked(by: SimNode, ids: readonly BlockId[]): void {
    const isThere = (holder: SimNode) => holder.process && this.network.reaches(by.port, holder.port);
    for (const id of ids) if ([...this.oracle.holders(id)].some(isThere)) this.counts.blockAsks++;
  }

  /** A node makes an image's volumes: blocks, a sync, then the news. */
  async ingest(node: SimNode): Promise<void> {
    const { random } = this;
    const volumes = random.whole(1, 4);
    const lengths = Array.from({ length: volumes }, () => random.between(0.5, 6) * MIB);
    const image = makeImage(random, `image${++this.#imagesMade}`, lengths, this.#someBlocks());
    this.note(`${node.name} ingests ${image.name}`);
    const process = node.process!;
    if (!this.#write(node, image)) return;
    await node.disk.sync();
    if (node.process !== process) return;
    for (const volume of image.volumes) {
      this.#volumes.set(volume.root, volume);
      node.volumes.put(volume);
    }
    const said: Held[] = [];
    const { directory } = process.directory;
    for (const volume of image.volumes) said.push(await directory.publish('layer', layerOf(volume)));
    said.push(await directory.publish('ref', refOf(image)));
    for (const volume of image.volumes) {
      this.counts.ingestedBytes += volume.sizeBytes;
      this.oracle.published(volume);
    }
    this.images.add(image);
    process.directory.gossip(said);
  }

  /** False when the disk is full: nothing is left then. */
  #write({ name, disk }: SimNode, image: SimImage): boolean {
    const written: BlockId[] = [];
    try {
      for (const { id, sizeBytes } of image.volumes.flatMap(({ blocks }) => blocks)) {
        if (disk.has(id)) continue;
        disk.write(id, sizeBytes);
        written.push(id);
      }
      return true;
    } catch {
      this.note(`${name} is full`);
      for (const id of written) void disk.remove(id);
      return false;
    }
  }

  #someBlocks(): readonly SimBlock[] {
    if (this.images.size === 0) return [];
    return this.random.pick(this.random.pick([...this.images]).volumes).blocks;
  }

  /** A container runs for a while, or until its node loses power; all blocks of its image are fetched. */
  async run(node: SimNode, image: SimImage, runMs: number): Promise<void> {
    this.note(`${node.name} runs ${image.name}`);
    const { exchange } = node.process!;
    node.use(image);
    this.time.after(runMs, () => node.unuse(image));
    const queue = image.volumes
      .flatMap(({ root, blocks }) => blocks.map(({ id }) => ({ id, root })))
      .values();
    const worker = async () => {
      for (const { id, root } of queue) {
        if (!node.containers.has(image)) return;
        await exchange.fetch(id, 'demand', root).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: DEMANDS_AT_ONCE }, worker));
  }

  /** On all nodes: the news starts from this one, if it has heard of the image. */
  async removeImage(node: SimNode, image: SimImage): Promise<void> {
    const { directory } = node.process!;
    const removals = await directory.directory.removeImage(image.name);
    if (removals.length === 0) return;
    this.note(`${node.name} removes ${image.name} everywhere`);
    this.images.delete(image);
    this.removedImages.add(image);
    for (const volume of image.volumes) this.oracle.removed(volume);
    directory.gossip(removals);
  }

  crash(node: SimNode): void {
    this.note(`${node.name} crashes`);
    node.crash();
    this.changed(node);
  }

  losePower(node: SimNode): void {
    this.note(`${node.name} loses power`);
    node.powerLost();
    this.changed(node);
  }

  destroy(node: SimNode): void {
    this.note(`${node.name} loses its disk`);
    node.destroyed();
    this.changed(node);
  }

  /** One block of the node cannot be read any more, and the node finds out. */
  rot(node: SimNode, id: BlockId): void {
    this.note(`block ${id} rots on ${node.name}`);
    this.oracle.rotten(node, id);
    node.disk.rot(id);
    void node.process?.custodian.lost(id);
  }

  leave(node: SimNode): void {
    this.note(`${node.name} leaves`);
    node.isLeaving = true;
    this.changed(node);
  }

  /** Nodes hear only those of their own group. */
  partition(groups: number): void {
    this.note(`the network is in ${groups} parts`);
    for (const node of this.nodes) node.port.group = this.random.whole(0, groups);
    this.changed('all');
  }

  heal(): void {
    this.note('the network is whole');
    for (const node of this.nodes) node.port.group = 0;
    this.changed('all');
  }
}

/** The same in all worlds, so that they can share tables of owners. */
function capacityOf(name: string): number {
  return CAPACITY_BYTES * (1 + ((seedOf(name).low >>> 0) % MAX_WEIGHT));
}
