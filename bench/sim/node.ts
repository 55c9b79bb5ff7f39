/**
 * A machine of the simulated cluster: a disk, a port, what it believes (members, volumes), the containers that it runs, and a
 * process with the real custodian, which may die at any moment. Nothing that a dead process has begun has an effect later,
 * except what its disk was already told to write.
 */
import type { BlockId, ChainId, Root } from '../../blocks/types.ts';
import type { Clock } from '../../peers/clock.ts';
import type { Directory } from '../../peers/directory/directory.ts';
import type { Signer } from '../../peers/directory/types.ts';
import { Custodian } from '../../peers/placement/custodian.ts';
import type { Limits } from '../../peers/placement/custody.ts';
import { Catalogue } from '../../peers/placement/known-volumes.ts';
import type { Member } from '../../peers/placement/owners.ts';
import { type Seed, seedOf } from '../../peers/placement/shards.ts';
import type { CustodianParts } from '../../peers/placement/types.ts';
import { SimDirectory } from './directory.ts';
import { type DiskTime, SimBlockStore, SimPinStore } from './disk.ts';
import { Exchange } from './exchange.ts';
import type { SimImage } from './images.ts';
import { MemberView } from './membership.ts';
import type { Port } from './network.ts';
import { Random } from './random.ts';
import { SimRecordStore } from './record-store.ts';
import { simSigner, withoutRemovals } from './records.ts';
import { fetchIndex, SimVolumes } from './volumes.ts';
import type { World } from './world.ts';

const WRITE_MIN_MS = 1;
const WRITE_MAX_MS = 40;
const WRITE_BACK_MS = 30_000;
const FREE_SHARE = 0.02;

export interface Process {
  custodian: Custodian;
  exchange: Exchange;
  directory: SimDirectory;
  catalogue: Catalogue;
}

export class SimNode {
  readonly name: string;
  readonly number: number;
  readonly member: Member;
  readonly seed: Seed;
  readonly signer: Signer;
  readonly port: Port;
  readonly clock: Clock;
  readonly disk: SimBlockStore;
  readonly pins: SimPinStore;
  readonly volumes = new SimVolumes();
  records: SimRecordStore;
  /** Whose removal it has heard of: for the oracle. */
  readonly removedLayers = new Set<ChainId>();
  readonly members: MemberView;
  process: Process | undefined;
  /** Goes up when a process begins and when it ends: nothing that was begun in another life goes on. */
  life = 0;
  isLeaving = false;
  /** Sends wrong blocks and forged records. */
  isLiar = false;
  readonly containers = new Map<SimImage, number>();
  readonly #world: World;
  readonly #uses = new Map<BlockId, number>();
  readonly #makers = new Map<Root, readonly string[]>();
  readonly #writeMs: () => number;
  /** Ends what a process has begun. */
  #closers: (() => void)[] = [];

  constructor(world: World, name: string, number: number, capacityBytes: number, port: Port) {
    this.#world = world;
    this.name = name;
    this.records = new SimRecordStore(world.records);
    this.number = number;
    this.member = { name, capacityBytes };
    this.seed = seedOf(name);
    this.signer = simSigner(name);
    this.port = port;
    const random = new Random(world.seed, 1000 + number);
    this.clock = world.time.clock(random, random.between(-5000, 5000));
    this.#writeMs = () => random.between(WRITE_MIN_MS, WRITE_MAX_MS);
    const time: DiskTime = {
      written: () => new Promise((resolve) => world.time.after(this.#writeMs(), resolve)),
      writeBack: (run) => void world.time.after(WRITE_BACK_MS, run),
      wall: () => this.clock.wall(),
    };
    const hooks = world.oracle.hooks(this);
    this.disk = new SimBlockStore(hooks, time);
    this.disk.capacityBytes = capacityBytes;
    this.pins = new SimPinStore(hooks, time);
    this.members = new MemberView(world, this);
  }

  /** The process is there once it knows what is on its disk. */
  async start(): Promise<void> {
    this.#end();
    const life = ++this.life;
    if (this.#world.sabotage === 'removals are forgotten') {
      this.records = withoutRemovals(this.records, this.#world.records);
    }
    const directory = await SimDirectory.open(this.#world, this);
    if (this.life !== life) return directory.close();
    const exchange = new Exchange(this.#world, this);
    const catalogue = this.#catalogue(directory.directory, () => custodian.changed());
    const custodian = new Custodian(this.#parts(exchange, catalogue));
    this.#closers = [
      () => custodian.stop(),
      () => exchange.stop(),
      () => catalogue.stop(),
      () => directory.close(),
    ];
    await catalogue.start();
    this.process = { custodian, exchange, directory, catalogue };
    this.#sweep(catalogue);
    this.#world.changed(this);
    await custodian.start();
  }

  #catalogue(directory: Directory, onChange: () => void): Catalogue {
    return new Catalogue({
      directory,
      volumes: this.volumes,
      fetchIndex: (root) => fetchIndex(this.#world, this, root),
      clock: this.clock,
      log: this.#world.log(this),
      onChange,
    });
  }

  /** Stands in for the collector: indexes without a record and blocks without an index, which an ingest left when it was cut off. */
  #sweep(catalogue: Catalogue): void {
    const known = new Set([...catalogue.living(), ...catalogue.removed()]);
    const named = new Set<BlockId>();
    for (const { root, blocks } of [...this.volumes.all()]) {
      if (!known.has(root)) this.volumes.remove(root);
      else for (const { id } of blocks) named.add(id);
    }
    for (const id of [...this.disk.ids()]) {
      if (!named.has(id) && !this.isInUse(id)) void this.disk.remove(id);
    }
  }

  /** Never, when this process is gone by then. */
  async written(): Promise<void> {
    const life = this.life;
    await new Promise<void>((resolve) => this.#world.time.after(this.#writeMs(), resolve));
    if (this.life !== life) await new Promise(() => {});
  }

  isLiving(root: Root): boolean {
    return this.process?.catalogue.isLiving(root) ?? false;
  }

  /** It would be living again after a restart. */
  knows(root: Root): boolean {
    return this.process ? this.process.catalogue.isLiving(root) : this.volumes.has(root);
  }

  /** Who has made the volume, as the records have it. */
  makersOf(root: Root): readonly string[] {
    const known = this.#makers.get(root);
    const directory = this.process?.directory.directory;
    if (known || !directory) return known ?? [];
    const layers = directory.layersByChainId(this.#world.volume(root).chainId);
    const makers = layers.map(({ node }) => node);
    if (makers.length > 0) this.#makers.set(root, makers);
    return makers;
  }

  /** The process dies. */
  crash(): void {
    this.#end();
    this.life++;
  }

  #end(): void {
    for (const close of this.#closers.splice(0)) close();
    this.process = undefined;
  }

  /** The machine goes silent; containers die with it. */
  powerLost(): void {
    this.crash();
    this.port.on = false;
    this.containers.clear();
    this.#uses.clear();
    this.disk.powerLost();
    this.pins.powerLost();
  }

  /** The machine comes back with an empty disk, if it does. */
  destroyed(): void {
    this.powerLost();
    this.#world.oracle.destroyed(this);
    this.pins.wipe();
    this.disk.wipe();
    this.volumes.wipe();
    this.records = new SimRecordStore(this.#world.records);
    this.removedLayers.clear();
  }

  isInUse(id: BlockId): boolean {
    return this.#uses.has(id);
  }

  use(image: SimImage): void {
    this.containers.set(image, (this.containers.get(image) ?? 0) + 1);
    for (const { blocks } of image.volumes) {
      for (const { id } of blocks) {
        this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
        this.disk.touch(id);
      }
    }
  }

  unuse(image: SimImage): void {
    const times = this.containers.get(image);
    if (times === undefined) return;
    if (times === 1) this.containers.delete(image);
    else this.containers.set(image, times - 1);
    for (const { blocks } of image.volumes) {
      for (const { id } of blocks) {
        const uses = this.#uses.get(id)! - 1;
        if (uses === 0) this.#uses.delete(id);
        else this.#uses.set(id, uses);
      }
    }
    this.process?.custodian.changed();
  }

  #parts(exchange: Exchange, volumes: Catalogue): CustodianParts {
    const { disk, pins } = this;
    /** What the disk answers reaches only a process that is still there. */
    const life = this.life;
    const living = async <T>(answer: Promise<T>): Promise<T> => {
      const value = await answer;
      return this.life === life ? value : new Promise(() => {});
    };
    return {
      self: this.name,
      clock: this.clock,
      blocks: {
        has: (id) => disk.has(id),
        remove: (id) => living(disk.remove(id)),
        sync: () => living(disk.sync()),
      },
      pins: {
        has: pins.has,
        all: () => pins.all(),
        count: () => pins.count(),
        add: (ids) => living(pins.add(ids)),
        remove: (ids) => living(pins.remove(ids)),
      },
      owners: () => this.members.owners,
      volumes,
      holdings: {
        held: () => disk.held(),
        usedBytes: () => disk.bytes,
        freeBytes: () => disk.capacityBytes - disk.bytes,
        isInUse: (id) => this.isInUse(id),
      },
      others: {
        ask: (owner, request) => exchange.ask(owner, request),
        fetch: (id, root) => exchange.fetch(id, 'repair', root),
      },
      limits: () => this.#limits(),
      log: this.#world.log(this),
    };
  }

  #limits(): Limits {
    return {
      maxBytes: this.member.capacityBytes,
      minFreeBytes: this.member.capacityBytes * FREE_SHARE,
      idleMs: this.#world.idleMs,
      fetchBytesPerSecond: this.#world.fetchBytesPerSecond,
    };
  }
}
