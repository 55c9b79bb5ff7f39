/**
 * A twin of `Layers` in memory, for tests: a volume is a folder with a file that names its root, "mounting" it makes that
 * folder. Ingest waits until the test finishes or fails it.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainId, LayerRecord, Root } from '../blocks/types.ts';
import { KeyedLock } from './keyed-lock.ts';
import type { CommittedLayer, Layers, LayerVolume } from './types.ts';

export interface PendingIngest {
  layer: CommittedLayer;
  done(volume: LayerVolume | undefined): Promise<void>;
}

export class MemoryLayers implements Layers {
  /** What neighbours or this node have, and `offer` finds. */
  readonly known = new Map<ChainId, LayerRecord>();
  readonly mounted = new Set<Root>();
  readonly pending: PendingIngest[] = [];
  readonly released: ChainId[] = [];
  active: ReadonlySet<Root> = new Set();
  /** Runs before each `offer`, `mount` and `unmount`: a test may wait or throw in it. */
  before: (call: 'offer' | 'mount' | 'unmount', what: string) => Promise<void> = async () => {};
  readonly #folder: string;
  /** As the real one: a mount and the end of one never overlap. */
  readonly #inTurn = new KeyedLock();

  constructor(folder: string) {
    this.#folder = folder;
  }

  async offer(chainId: ChainId): Promise<LayerVolume | undefined> {
    await this.before('offer', chainId);
    const record = this.known.get(chainId);
    return record && { record, mountPoint: await this.mount(record.root) };
  }

  ingest(layer: CommittedLayer, done: PendingIngest['done']): void {
    this.pending.push({ layer, done });
  }

  /** Resolves once so many ingests have been asked for and not ended. */
  async asked(count: number): Promise<CommittedLayer[]> {
    while (this.pending.length < count) await sleep(1);
    return this.pending.map(({ layer }) => layer);
  }

  /** Ends the oldest ingest with a volume of this root. */
  async finishIngest(root: Root): Promise<void> {
    await this.asked(1);
    const { layer, done } = this.pending.shift()!;
    const { chainId, parent } = layer;
    const record: LayerRecord = {
      chainId,
      diffId: chainId,
      parent,
      root,
      format: 'twin-1',
      origin: 'ingested',
    };
    this.known.set(chainId, record);
    await done({ record, mountPoint: await this.mount(root) });
  }

  async failIngest(): Promise<void> {
    await this.asked(1);
    await this.pending.shift()!.done(undefined);
  }

  mount(root: Root): Promise<string> {
    return this.#inTurn.run(root, async () => {
      await this.before('mount', root);
      const point = join(this.#folder, root);
      await mkdir(point, { recursive: true });
      await writeFile(join(point, 'volume'), root);
      this.mounted.add(root);
      return point;
    });
  }

  unmount(root: Root): Promise<void> {
    return this.#inTurn.run(root, async () => {
      await this.before('unmount', root);
      this.mounted.delete(root);
      await rm(join(this.#folder, root), { recursive: true, force: true });
    });
  }

  async release(chainId: ChainId): Promise<void> {
    this.released.push(chainId);
    this.known.delete(chainId);
  }

  inUse(roots: ReadonlySet<Root>): void {
    this.active = roots;
  }

  async bytesHere(): Promise<number> {
    return 4096;
  }
}
