/**
 * From unpacked directory to volume. After a layer's commit `Layers` makes its volume in the background; then the layer is
 * swapped.
 *
 * Order of effects of the swap: the volume is mounted and durable, the link points to it, the record says "swapped". A
 * crash before the record leaves a layer in its directory (the next start points the link back and ingests again, which
 * finds the volume made). A snapshot that came before the record may have mounted the directory: the record names
 * the first id that cannot have (`before`), and the directory stays for the others (`keeper.ts`).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Directories } from './directories.ts';
import type { Keeper } from './keeper.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { Links } from './links.ts';
import type { Metadata } from './metadata.ts';
import { type CommittedAt, type CommittedRecord, isAt, layerNameOf, type SnapshotRecord } from './record.ts';
import type { Releases } from './releases.ts';
import type { CommittedLayer, Layers, LayerVolume } from './types.ts';

/** After a start, the volume server that mounts the layers below may come a little later. */
const MOUNT_RETRY_MS = 2_000;

export interface IngestParts {
  metadata: Metadata;
  layers: Layers;
  links: Links;
  directories: Directories;
  keeper: Keeper;
  releases: Releases;
  chainLock: KeyedLock;
  bootId: string;
  logger: Logger;
}

interface Job {
  record: CommittedRecord;
  layer: CommittedLayer;
}

export class Ingests {
  readonly #parts: IngestParts;
  readonly #stopping = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(parts: IngestParts) {
    this.#parts = parts;
  }

  /** Asks again for what an earlier process did not finish, lowest layers first. */
  resume(): void {
    const records = this.#parts.metadata.catalogue.all().toSorted((a, b) => a.id - b.id);
    const jobs = records.map((record) => this.#jobOf(record)).filter((job) => job !== undefined);
    // At once, before anybody may take a directory away.
    for (const { record } of jobs) this.#parts.keeper.pin(record.id);
    this.#run(async () => {
      for (const job of jobs) await this.#ingest(job);
    });
  }

  /** Does nothing unless it is an unpacked layer, known by its chainID, on nothing or on such a layer. */
  start(record: SnapshotRecord): void {
    const job = this.#jobOf(record);
    if (job === undefined) return;
    this.#parts.keeper.pin(record.id);
    this.#run(() => this.#ingest(job));
  }

  /** Resolves once nothing is under way here; what `Layers` works on is its own. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running);
  }

  #run(work: () => Promise<void>): void {
    const running = work();
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  #jobOf(record: SnapshotRecord): Job | undefined {
    const { metadata, links, directories } = this.#parts;
    const name = layerNameOf(record.name);
    if (!isAt(record, 'directory') || name === undefined) return undefined;
    const chain = metadata.catalogue.chain(record);
    const parent = chain[0]?.chainId;
    if (parent === '') return undefined;
    const lowers = chain.map(({ id }) => links.path(id));
    const layer = { ...name, parent: parent ?? '', directory: directories.upper(record.id), lowers };
    return { record, layer };
  }

  async #ingest({ record, layer }: Job): Promise<void> {
    const { metadata, layers, keeper, logger } = this.#parts;
    if (this.#stopping.signal.aborted) return;
    try {
      while (!(await this.#lowersMounted(record))) {
        await sleep(MOUNT_RETRY_MS, undefined, { signal: this.#stopping.signal, ref: false });
        if (metadata.catalogue.byId(record.id) === undefined) return keeper.unpin(record.id);
      }
      layers.ingest(layer, (volume) => this.#done(record.id, layer, volume));
    } catch (error) {
      if (!this.#stopping.signal.aborted)
        logger.error({ chainId: layer.chainId, err: error }, 'ingest not begun');
      keeper.unpin(record.id);
    }
  }

  async #lowersMounted(record: CommittedRecord): Promise<boolean> {
    const { metadata, keeper, logger } = this.#parts;
    try {
      await keeper.mount(metadata.catalogue.chain(record));
      return true;
    } catch (error) {
      logger.warn({ snapshot: record.name, err: error }, 'ingest waits for the layers below');
      return false;
    }
  }

  async #done(id: number, layer: CommittedLayer, volume: LayerVolume | undefined): Promise<void> {
    const { keeper, logger } = this.#parts;
    try {
      if (volume) await this.#swap(id, layer, volume);
    } catch (error) {
      logger.error({ chainId: layer.chainId, err: error }, 'layer not swapped; it stays a directory');
    } finally {
      keeper.unpin(id);
    }
  }

  /** Also for a layer that was removed meanwhile: then its new volume is not wanted. */
  async #swap(id: number, { chainId }: CommittedLayer, volume: LayerVolume): Promise<void> {
    const { metadata, keeper, releases, chainLock } = this.#parts;
    await chainLock.run(chainId, async () => {
      const record = metadata.catalogue.byId(id);
      if (isAt(record, 'directory')) await this.#pointAndRecord(record, volume);
    });
    keeper.adopt(volume.record.root);
    releases.releaseLater(chainId);
  }

  async #pointAndRecord({ id }: CommittedAt<'directory'>, volume: LayerVolume): Promise<void> {
    const { metadata, layers, links, directories, bootId } = this.#parts;
    const { root } = volume.record;
    await links.point(id, volume.mountPoint);
    try {
      await metadata.change((catalogue): CommittedRecord | undefined => {
        const record = catalogue.byId(id);
        if (!isAt(record, 'directory')) return undefined;
        return catalogue.setLayer(record, { at: 'swapped', root, before: catalogue.nextId, bootId });
      });
    } catch (error) {
      await links.point(id, directories.upper(id));
      throw error;
    }
    // Another layer of the same volume may have let it be unmounted a moment ago.
    await layers.mount(root);
  }
}
