/**
 * A node's disk: the stores that outlive its process, without bytes. A block is its length and a tag that says whether it is
 * what its name promises; the check that the real store makes by hashing is made on the tag, so that a wrong block can be sent
 * and must be refused.
 *
 * Writing to the medium takes time; what nobody syncs is written after a while all the same, as a kernel does. A loss of power
 * takes what was not on the medium by then, and whoever waited for it never hears. A full disk refuses to write.
 */
import { CorruptBlockError } from '../../blocks/block.ts';
import type { BlockId, BlockStore } from '../../blocks/types.ts';
import type { HeldBlock } from '../../peers/placement/custody.ts';
import type { PinStore } from '../../peers/placement/pin-store.ts';

/** Bytes of a block on their way: the length is true, the memory is shared, the tag is what a hash would find. */
export class BlockBytes extends Uint8Array<ArrayBuffer> {
  tag: BlockId = '';
}

const shared = new ArrayBuffer(1 << 20);

export function blockBytes(tag: BlockId, length: number): BlockBytes {
  const bytes = new BlockBytes(shared, 0, length);
  bytes.tag = tag;
  return bytes;
}

/** Told of what is on the medium. */
export interface DiskHooks {
  onPut(id: BlockId): void;
  /** `lost`: by rot or with the disk, not by the node. */
  onRemove(id: BlockId, why: 'dropped' | 'lost'): void;
  onPin(id: BlockId): void;
  onUnpin(id: BlockId): void;
  /** A block that is not what its name says was accepted. */
  onWrong(id: BlockId): void;
}

/** What the disk needs of time: when a write is on the medium, and what the wall clock shows. */
export interface DiskTime {
  written(): Promise<void>;
  /** Runs when the kernel writes by itself. */
  writeBack(run: () => void): void;
  wall(): number;
}

interface Stored {
  sizeBytes: number;
  lastUseMs: number;
}

export class SimBlockStore implements BlockStore {
  readonly #blocks = new Map<BlockId, Stored>();
  readonly #unsynced = new Set<BlockId>();
  /** Told to be on the medium, and not there: only on a disk that lies. */
  readonly #claimed = new Set<BlockId>();
  bytes = 0;
  capacityBytes = Number.POSITIVE_INFINITY;
  /** Off only to show that the simulator notices. */
  checks = true;
  /** Off only to show that the simulator notices: a disk that says "synced" at once and loses it with the power. */
  syncs = true;
  readonly #hooks: DiskHooks;
  readonly #time: DiskTime;
  #powerLosses = 0;

  constructor(hooks: DiskHooks, time: DiskTime) {
    this.#hooks = hooks;
    this.#time = time;
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id);
  }

  path(id: BlockId): string {
    return `/simulated/${id}`;
  }

  async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    const { tag } = bytes as BlockBytes;
    if (tag !== id) {
      if (this.checks) throw new CorruptBlockError(id, `its bytes hash to ${tag}`);
      this.#hooks.onWrong(id);
    }
    this.write(id, bytes.length);
  }

  /** As ingest does, which makes the block itself. */
  write(id: BlockId, sizeBytes: number): void {
    if (this.#blocks.has(id)) return;
    if (this.bytes + sizeBytes > this.capacityBytes) {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    }
    this.#blocks.set(id, { sizeBytes, lastUseMs: this.#time.wall() });
    if (this.#unsynced.size === 0) this.#time.writeBack(() => void this.sync());
    this.#unsynced.add(id);
    this.bytes += sizeBytes;
  }

  sizeOf(id: BlockId): number | undefined {
    return this.#blocks.get(id)?.sizeBytes;
  }

  async get(id: BlockId): Promise<Buffer | undefined> {
    const stored = this.#blocks.get(id);
    return stored && (blockBytes(id, stored.sizeBytes) as Uint8Array as Buffer);
  }

  async remove(id: BlockId): Promise<void> {
    this.#remove(id, 'dropped');
  }

  /** The block cannot be read any more. */
  rot(id: BlockId): void {
    this.#remove(id, 'lost');
  }

  #remove(id: BlockId, why: 'dropped' | 'lost'): void {
    const stored = this.#blocks.get(id);
    if (!stored) return;
    this.#blocks.delete(id);
    this.#claimed.delete(id);
    this.bytes -= stored.sizeBytes;
    if (!this.#unsynced.delete(id)) this.#hooks.onRemove(id, why);
  }

  async sync(): Promise<void> {
    const written = [...this.#unsynced];
    if (this.syncs) await this.#written();
    for (const id of written) {
      if (!this.#unsynced.delete(id)) continue;
      if (!this.syncs) this.#claimed.add(id);
      this.#hooks.onPut(id);
    }
  }

  /** Never, when the power goes first. */
  async #written(): Promise<void> {
    const before = this.#powerLosses;
    await this.#time.written();
    if (this.#powerLosses !== before) await new Promise(() => {});
  }

  stats(): { count: number; bytes: number } {
    return { count: this.#blocks.size, bytes: this.bytes };
  }

  ids(): Iterable<BlockId> {
    return this.#blocks.keys();
  }

  *held(): Iterable<HeldBlock> {
    for (const [id, { sizeBytes, lastUseMs }] of this.#blocks) yield { id, sizeBytes, lastUseMs };
  }

  /** A container has read it. */
  touch(id: BlockId): void {
    const stored = this.#blocks.get(id);
    if (stored) stored.lastUseMs = this.#time.wall();
  }

  powerLost(): void {
    this.#powerLosses++;
    for (const id of this.#unsynced) {
      this.bytes -= this.#blocks.get(id)!.sizeBytes;
      this.#blocks.delete(id);
    }
    this.#unsynced.clear();
    for (const id of [...this.#claimed]) this.rot(id);
  }

  wipe(): void {
    this.powerLost();
    for (const id of [...this.#blocks.keys()]) this.rot(id);
  }
}

/** Pins as a database keeps them: seen at once, on the medium later, in the order in which they were made. */
export class SimPinStore implements PinStore {
  readonly #seen = new Set<BlockId>();
  readonly #durable = new Set<BlockId>();
  readonly #hooks: Pick<DiskHooks, 'onPin' | 'onUnpin'>;
  readonly #time: DiskTime;
  #powerLosses = 0;

  constructor(hooks: Pick<DiskHooks, 'onPin' | 'onUnpin'>, time: DiskTime) {
    this.#hooks = hooks;
    this.#time = time;
  }

  readonly has = (id: BlockId): boolean => this.#seen.has(id);

  async add(ids: readonly BlockId[]): Promise<void> {
    for (const id of ids) this.#seen.add(id);
    await this.#write(() => {
      for (const id of ids) {
        if (!this.#seen.has(id) || this.#durable.has(id)) continue;
        this.#durable.add(id);
        this.#hooks.onPin(id);
      }
    });
  }

  async remove(ids: readonly BlockId[]): Promise<void> {
    for (const id of ids) this.#seen.delete(id);
    await this.#write(() => {
      for (const id of ids) {
        if (!this.#seen.has(id) && this.#durable.delete(id)) this.#hooks.onUnpin(id);
      }
    });
  }

  async #write(effect: () => void): Promise<void> {
    const before = this.#powerLosses;
    await this.#time.written();
    if (this.#powerLosses !== before) await new Promise(() => {});
    effect();
  }

  all(): Iterable<BlockId> {
    return this.#seen.values();
  }

  count(): number {
    return this.#seen.size;
  }

  powerLost(): void {
    this.#powerLosses++;
    this.#seen.clear();
    for (const id of this.#durable) this.#seen.add(id);
  }

  wipe(): void {
    this.powerLost();
    for (const id of this.#durable) this.#hooks.onUnpin(id);
    this.#durable.clear();
    this.#seen.clear();
  }
}
