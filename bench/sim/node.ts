/**
 * A machine of the simulated cluster: a disk, a port, what it believes (members, volumes), the containers that it runs, and a
 * process with the real custodian, which may die at any moment. Nothing that a dead process has begun has an effect later,
 * except what its disk was already told to write.
 */
import type { BlockId } from '../../blocks/types.ts';
import type { Clock } from '../../peers/clock.ts';
import { Custodian } from '../../peers/placement/custodian.ts';
import type { Limits } from '../../peers/placement/custody.ts';
import type { Member } from '../../peers/placement/owners.ts';
import type { CustodianParts } from '../../peers/placement/types.ts';
import { DirectoryView } from './directory.ts';
import { type DiskTime, SimBlockStore, SimPinStore } from './disk.ts';
import { Exchange } from './exchange.ts';
import type { SimImage } from './images.ts';
import { MemberView } from './membership.ts';
import type { Port } from './network.ts';
import { Random } from './random.ts';
import type { World } from './world.ts';

const WRITE_MIN_MS = 1;
const WRITE_MAX_MS = 40;
const WRITE_BACK_MS = 30_000;
const FREE_SHARE = 0.02;

export interface Process {
  custodian: Custodian;
  exchange: Exchange;
}

export class SimNode {
  readonly name: string;
  readonly member: Member;
  readonly port: Port;
  readonly disk: SimBlockStore;
  readonly pins: SimPinStore;
  readonly members: MemberView;
  readonly directory: DirectoryView;
  process: Process | undefined;
  isLeaving = false;
  readonly containers = new Map<SimImage, number>();
  readonly #world: World;
  readonly #clock: Clock;
  readonly #uses = new Map<BlockId, number>();

  constructor(world: World, name: string, number: number, capacityBytes: number, port: Port) {
    this.#world = world;
    this.name = name;
    this.member = { name, capacityBytes };
    this.port = port;
    const random = new Random(world.seed, 1000 + number);
    this.#clock = world.time.clock(random, random.between(-5000, 5000));
    const time: DiskTime = {
      written: () =>
        new Promise((resolve) => world.time.after(random.between(WRITE_MIN_MS, WRITE_MAX_MS), resolve)),
      writeBack: (run) => void world.time.after(WRITE_BACK_MS, run),
      wall: () => this.#clock.wall(),
    };
    const hooks = world.oracle.hooks(this);
    this.disk = new SimBlockStore(hooks, time);
    this.disk.capacityBytes = capacityBytes;
    this.pins = new SimPinStore(hooks, time);
    this.directory = new DirectoryView(world.directory, () => this.process?.custodian.changed());
    this.members = new MemberView(world, this);
  }

  async start(): Promise<void> {
    const exchange = new Exchange(this.#world, this);
    const custodian = new Custodian(this.#parts(exchange));
    const process = { custodian, exchange };
    this.process = process;
    this.#sweep();
    await custodian.start();
  }

  /** Stands in for the collector: blocks without a volume, which an ingest left when it was cut off. */
  #sweep(): void {
    const named = new Set(this.directory.names());
    for (const id of [...this.disk.ids()]) {
      if (!named.has(id) && !this.isInUse(id)) void this.disk.remove(id);
    }
  }

  /** The process dies. */
  crash(): void {
    this.process?.custodian.stop();
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
    this.directory.forget();
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

  #parts(exchange: Exchange): CustodianParts {
    const { disk, pins } = this;
    /** What the disk answers reaches only a process that is still there. */
    const living = async <T>(answer: Promise<T>): Promise<T> => {
      const value = await answer;
      return this.process?.exchange === exchange ? value : new Promise(() => {});
    };
    return {
      self: this.name,
      clock: this.#clock,
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
      volumes: this.directory,
      holdings: {
        held: () => disk.held(),
        usedBytes: () => disk.bytes,
        freeBytes: () => disk.capacityBytes - disk.bytes,
        isInUse: (id) => this.isInUse(id),
      },
      others: {
        ask: (owner, request) => exchange.ask(owner, request),
        fetch: (id) => exchange.fetch(id, 'repair'),
      },
      limits: this.#limits(),
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
