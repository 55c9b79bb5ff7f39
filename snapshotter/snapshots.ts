/**
 * The life of a snapshot.
 *
 * Order of effects: directories are made before the record that needs them, and discarded after the record is gone; the
 * record is durable before containerd gets an answer. So a crash leaves at most directories and links without a record,
 * which the sweep at the next start collects, never a record without its files. Mounts are made after the record, so that
 * the keeper knows of their user.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { Directories, type Owner } from './directories.ts';
import { SnapshotError } from './errors.ts';
import { parseFilters } from './filters.ts';
import { Ingests } from './ingests.ts';
import { Keeper } from './keeper.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Links } from './links.ts';
import { Metadata, type SnapshotDatabase } from './metadata.ts';
import { mountsOf } from './mounts.ts';
import { Offers } from './offers.ts';
import { isAt, isChainId, type OpenRecord, REF_LABEL } from './record.ts';
import { Releases } from './releases.ts';
import { Trash } from './trash.ts';
import type { Layers, Mount, SnapshotInfo, Snapshotter, Usage } from './types.ts';
import { diskUsage } from './usage.ts';

const UNMOUNT_AFTER_MS = 30_000;

export interface SnapshotterParts {
  db: SnapshotDatabase;
  /** Holds `snapshots/` and `trash/`. */
  rootDirectory: string;
  /** On a tmpfs, short: holds `l/`. */
  runDirectory: string;
  layers: Layers;
  /** /proc/sys/kernel/random/boot_id: mounts of another boot are gone. */
  bootId: string;
  logger: Logger;
  unmountAfterMs?: number;
}

type Labels = Record<string, string>;

/** Opens the snapshotter: discards what a crash left, and asks again for unfinished ingests. */
export async function openSnapshotter(parts: SnapshotterParts): Promise<LocalSnapshotter> {
  const {
    db,
    rootDirectory,
    runDirectory,
    layers,
    bootId,
    logger,
    unmountAfterMs = UNMOUNT_AFTER_MS,
  } = parts;
  const metadata = new Metadata(db);
  const trash = await Trash.open(join(rootDirectory, 'trash'), logger);
  const directories = await Directories.open(join(rootDirectory, 'snapshots'), trash);
  const links = await Links.open(join(runDirectory, 'l'));
  const chainLock = new KeyedLock();
  const releases = new Releases(metadata, layers, chainLock, logger);
  const keeper = new Keeper({ metadata, layers, links, directories, bootId, unmountAfterMs, logger });
  const shared = { metadata, layers, links, directories, keeper, releases, chainLock, bootId, logger };
  const snapshotter = new LocalSnapshotter({
    ...shared,
    trash,
    offers: new Offers(shared),
    ingests: new Ingests(shared),
  });
  await snapshotter.start();
  return snapshotter;
}

interface Workings {
  metadata: Metadata;
  directories: Directories;
  links: Links;
  trash: Trash;
  keeper: Keeper;
  releases: Releases;
  offers: Offers;
  ingests: Ingests;
  layers: Layers;
}

export class LocalSnapshotter implements Snapshotter {
  readonly #parts: Workings;
  readonly #keyLock = new KeyedLock();

  constructor(parts: Workings) {
    this.#parts = parts;
  }

  async start(): Promise<void> {
    const { metadata, directories, links, keeper, ingests } = this.#parts;
    await this.#sweep();
    for (const record of metadata.catalogue.all()) {
      if (isAt(record, 'directory')) await links.point(record.id, directories.upper(record.id));
    }
    keeper.changed();
    ingests.resume();
  }

  /** Resolves once all background work is done that waits for nobody. */
  async settled(): Promise<void> {
    const { metadata, keeper, releases, trash } = this.#parts;
    await metadata.settled();
    await keeper.settled();
    await releases.settled();
    await trash.emptied();
  }

  /** Ends timers and retries. Calls under way go on. */
  async close(): Promise<void> {
    await this.#parts.ingests.stop();
    await this.#parts.keeper.stop();
    await this.settled();
  }

  checkInvariants(): void {
    this.#parts.metadata.catalogue.checkInvariants();
  }

  async prepare(key: string, parent: string, labels: Labels): Promise<Mount[]> {
    const chainId = labels[REF_LABEL];
    if (!isChainId(chainId)) return this.#open('active', key, parent, labels);
    if (await this.#parts.offers.have({ key, parent, chainId, labels })) {
      throw new SnapshotError('already-exists', `layer ${chainId} is here`);
    }
    try {
      return await this.#open('active', key, parent, labels);
    } catch (error) {
      // containerd would take "already exists" for an offer of the layer.
      if (!(error instanceof SnapshotError && error.kind === 'already-exists')) throw error;
      throw new SnapshotError('failed-precondition', error.message);
    }
  }

  view(key: string, parent: string, labels: Labels): Promise<Mount[]> {
    return this.#open('view', key, parent, labels);
  }

  async mounts(key: string): Promise<Mount[]> {
    const record = this.#parts.metadata.catalogue.need(key);
    if (record.kind === 'committed') {
      throw new SnapshotError('failed-precondition', `snapshot ${key} is committed: it has no mounts`);
    }
    return this.#mountsOf(record);
  }

  commit(name: string, key: string, labels: Labels): Promise<void> {
    const { metadata, directories, links, keeper, ingests } = this.#parts;
    return this.#keyLock.run(key, async () => {
      const { id, kind } = metadata.catalogue.need(key);
      if (kind !== 'active') throw new SnapshotError('failed-precondition', `snapshot ${key} is not active`);
      const usage = await diskUsage(directories.upper(id));
      await links.point(id, directories.upper(id));
      const record = await metadata.change((catalogue) => catalogue.commit(name, key, labels, usage));
      keeper.changed();
      ingests.start(record);
    });
  }

  remove(key: string): Promise<void> {
    const { metadata, directories, links, keeper, releases } = this.#parts;
    return this.#keyLock.run(key, async () => {
      const record = await metadata.change((catalogue) => catalogue.remove(key));
      await links.remove(record.id);
      await directories.discard(record.id);
      keeper.changed();
      if (record.kind === 'committed') releases.releaseLater(record.chainId);
    });
  }

  async stat(key: string): Promise<SnapshotInfo> {
    return this.#parts.metadata.catalogue.need(key);
  }

  update(info: Pick<SnapshotInfo, 'name' | 'labels'>, fields: readonly string[]): Promise<SnapshotInfo> {
    return this.#parts.metadata.change((catalogue) => catalogue.update(info.name, info.labels, fields));
  }

  async *list(filters: readonly string[]): AsyncGenerator<SnapshotInfo> {
    const matches = parseFilters(filters);
    for (const record of this.#parts.metadata.catalogue.all()) if (matches(record)) yield record;
  }

  async usage(key: string): Promise<Usage> {
    const { metadata, directories, layers } = this.#parts;
    const record = metadata.catalogue.need(key);
    if (record.kind !== 'committed') {
      return record.kind === 'active' ? diskUsage(directories.upper(record.id)) : { sizeBytes: 0, inodes: 0 };
    }
    const { layer } = record;
    if (layer.at !== 'volume') return record.usage;
    return { ...record.usage, sizeBytes: await layers.bytesHere(layer.root) };
  }

  /** containerd calls it after its garbage collection: resolves once the space is free. */
  async cleanup(): Promise<void> {
    await this.#sweep();
    await this.settled();
  }

  #open(kind: OpenRecord['kind'], key: string, parent: string, labels: Labels): Promise<Mount[]> {
    return this.#keyLock.run(key, async () => {
      const { metadata, directories, keeper } = this.#parts;
      metadata.catalogue.checkNew(key, parent);
      const owner = await this.#ownerOf(parent);
      const id = metadata.catalogue.takeId();
      const record = await directories.createFor(id, owner, () =>
        metadata.change((catalogue) => catalogue.create(kind, id, key, parent, labels)),
      );
      keeper.changed();
      try {
        return await this.#mountsOf(record);
      } catch (error) {
        await this.#undo(record);
        throw error;
      }
    });
  }

  async #undo(record: OpenRecord): Promise<void> {
    const { metadata, directories, keeper } = this.#parts;
    await metadata.change((catalogue) => catalogue.remove(record.name));
    await directories.discard(record.id);
    keeper.changed();
  }

  /** Mounts what has to be mounted below it first. */
  async #mountsOf(record: OpenRecord): Promise<Mount[]> {
    const { metadata, directories, links, keeper } = this.#parts;
    const chain = metadata.catalogue.chain(record);
    await keeper.mount(chain);
    return mountsOf({
      kind: record.kind,
      upper: directories.upper(record.id),
      work: directories.work(record.id),
      lowers: chain.map(({ id }) => links.path(id)),
    });
  }

  async #ownerOf(parent: string): Promise<Owner> {
    if (parent === '') return { uid: 0, gid: 0 };
    const { metadata, links, keeper } = this.#parts;
    const record = metadata.catalogue.needCommitted(parent);
    return keeper.whileMounted(record, () => stat(links.path(record.id)));
  }

  async #sweep(): Promise<void> {
    const { metadata, directories, links } = this.#parts;
    await directories.sweep((id) => {
      const record = metadata.catalogue.byId(id);
      return record !== undefined && !isAt(record, 'volume');
    });
    for (const id of links.ids()) if (metadata.catalogue.byId(id) === undefined) await links.remove(id);
  }
}
