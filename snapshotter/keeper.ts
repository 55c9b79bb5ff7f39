/**
 * Keeps mounts and directories in step with who uses them: a volume is mounted when a snapshot that needs it is asked for,
 * and unmounted some time after none does; the directory of a swapped layer goes when nobody can have it mounted.
 *
 * Order of effects: a user is in the records before its mounts are made; the record says "volume" before the
 * directory is discarded (a crash in between leaves an orphan for the sweep).
 */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Root } from '../blocks/types.ts';
import type { Directories } from './directories.ts';
import { SnapshotError } from './errors.ts';
import type { Links } from './links.ts';
import type { Metadata } from './metadata.ts';
import { type CommittedRecord, isAt } from './record.ts';
import type { Layers } from './types.ts';
import { type Uses, usesOf } from './uses.ts';

export interface KeeperParts {
  metadata: Metadata;
  layers: Layers;
  links: Links;
  directories: Directories;
  bootId: string;
  /** How long a volume that nothing needs stays mounted: a container may start right after the pull. */
  unmountAfterMs: number;
  logger: Logger;
}

export class Keeper {
  readonly #parts: KeeperParts;
  readonly #ingesting = new Set<number>();
  readonly #holds = new Set<{ root: Root | undefined }>();
  readonly #mounted = new Set<Root>();
  #active: ReadonlySet<Root> = new Set();
  #pass: Promise<void> | undefined;
  #stale = false;
  #unmountTimer: NodeJS.Timeout | undefined;
  #unmounting: Promise<void> | undefined;
  #stopped = false;

  constructor(parts: KeeperParts) {
    this.#parts = parts;
    // An earlier process may have left any of them mounted.
    for (const record of parts.metadata.catalogue.all()) {
      if (record.kind === 'committed' && record.layer.at !== 'directory')
        this.#mounted.add(record.layer.root);
    }
  }

  /** Mounts those of these layers that are volumes, and points their links there. Throws `unavailable`. */
  async mount(chain: readonly CommittedRecord[]): Promise<void> {
    await Promise.all(chain.map((record) => this.#mountLayer(record)));
  }

  /** Runs `work` while the layer is mounted, also if no snapshot needs it. */
  async whileMounted<T>(record: CommittedRecord, work: () => Promise<T>): Promise<T> {
    const hold = { root: record.layer.at === 'directory' ? undefined : record.layer.root };
    this.#holds.add(hold);
    try {
      await this.#mountLayer(record);
      return await work();
    } finally {
      this.#holds.delete(hold);
      this.changed();
    }
  }

  /** This volume was mounted by somebody else: end the mount when nothing needs it. */
  adopt(root: Root): void {
    this.#mounted.add(root);
    this.changed();
  }

  /** Ingest reads this layer and all below it until `unpin`. */
  pin(id: number): void {
    this.#ingesting.add(id);
    this.changed();
  }

  unpin(id: number): void {
    if (this.#ingesting.delete(id)) this.changed();
  }

  /** To be called after each change of the records. */
  changed(): void {
    if (this.#stopped) return;
    this.#stale = true;
    this.#pass ??= this.#run();
  }

  /** Resolves once mounts and directories follow the records (unmounting, which is delayed, apart). */
  async settled(): Promise<void> {
    await this.#pass;
  }

  /** Resolves once nothing is under way; later changes are left to the next start. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#unmountTimer);
    await this.#pass;
    await this.#unmounting;
  }

  async #mountLayer({ id, name, layer }: CommittedRecord): Promise<void> {
    if (layer.at === 'directory') return;
    const { layers, links } = this.#parts;
    this.#mounted.add(layer.root);
    try {
      await links.point(id, await layers.mount(layer.root));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new SnapshotError('unavailable', `layer ${name} cannot be mounted: ${reason}`, { cause });
    }
  }

  async #run(): Promise<void> {
    while (this.#stale) {
      // Many changes in one turn of the event loop are one pass.
      await yieldToEvents();
      this.#stale = false;
      try {
        await this.#follow();
      } catch (error) {
        this.#parts.logger.error({ err: error }, 'mounts and directories do not follow the snapshots');
      }
    }
    this.#pass = undefined;
  }

  async #follow(): Promise<void> {
    const { metadata, directories, layers, unmountAfterMs } = this.#parts;
    const { active, retired } = this.#uses();
    if (!sameSet(active, this.#active)) layers.inUse(active);
    this.#active = active;
    for (const { id } of retired) {
      const changed = await metadata.change((catalogue) => {
        const record = catalogue.byId(id);
        return isAt(record, 'swapped')
          ? catalogue.setLayer(record, { at: 'volume', root: record.layer.root })
          : undefined;
      });
      if (changed) await directories.discard(id);
    }
    if (this.#stopped) return;
    this.#unmountTimer ??= setTimeout(() => {
      this.#unmountTimer = undefined;
      this.#unmounting = Promise.resolve(this.#unmounting).then(() => this.#unmountIdle());
    }, unmountAfterMs).unref();
  }

  async #unmountIdle(): Promise<void> {
    for (const root of [...this.#mounted]) {
      // Asked again each time: a snapshot may have come while another volume was unmounted.
      if (this.#uses().needed.has(root) || this.#isHeld(root)) continue;
      this.#mounted.delete(root);
      try {
        await this.#parts.layers.unmount(root);
      } catch (error) {
        this.#mounted.add(root);
        this.#parts.logger.warn(
          { root, err: error },
          'volume not unmounted; tried again after the next change',
        );
      }
    }
  }

  #isHeld(root: Root): boolean {
    for (const hold of this.#holds) if (hold.root === root) return true;
    return false;
  }

  #uses(): Uses {
    const { metadata, bootId } = this.#parts;
    return usesOf(metadata.catalogue, this.#ingesting, bootId);
  }
}

function sameSet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  return a.size === b.size && [...a].every((member) => b.has(member));
}
