/**
 * Brings a volume's index and metadata blocks: from the likeliest holder, and when that fails from the next. Where nobody has all
 * metadata blocks any more, since each node keeps only what it owns, they are gathered one by one.
 */
import { LRUCache } from 'lru-cache';
import type { BlockId, Root, VolumeIndex } from '../blocks/types.ts';
import type { PeerClient } from './exchange/client.ts';
import { failureOf } from './exchange/client.ts';
import { receiveIndex, receiveVolume, type Stores } from './exchange/receiving.ts';
import { metadataBlocks } from './exchange/sending.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import type { Log } from './types.ts';

/** No neighbour that answers could give the volume. */
export class NoVolumeError extends Error {
  constructor(root: Root, why: string) {
    super(`volume ${root} could not be had: ${why}`);
    this.name = 'NoVolumeError';
  }
}

/** A holder that is silent for so long is given up for the next one. */
const SILENT_MIN_MS = 1000;
const SILENT_FACTOR = 10;
const PENALTY_MS = 10_000;

/** `whole`: with the metadata blocks, which is all that mounting takes. */
type Part = 'index' | 'whole';

const SETTLED_MAX = 10_000;

/** Blocks that are on the way for so long do not come. What nobody has is given up at once. */
const GATHER_MS = 60_000;

export interface VolumeFetchOptions extends Stores {
  /** Brings one block from whoever has it; rejects when nobody who answers does. */
  want: (id: BlockId, root: Root, signal: AbortSignal) => Promise<void>;
  links: readonly Link[];
  holders: Holders;
  log: Log;
}

export class VolumeFetch {
  readonly #options: VolumeFetchOptions;
  readonly #running = new Map<string, Promise<VolumeIndex>>();
  /** Volumes whose metadata blocks are on the disk for good. */
  readonly #settled = new LRUCache<Root, true>({ max: SETTLED_MAX });
  #fetchedBytes = 0;

  constructor(options: VolumeFetchOptions) {
    this.#options = options;
  }

  /** Bytes of indexes and compressed metadata received so far. */
  get fetchedBytes(): number {
    return this.#fetchedBytes;
  }

  /** See `Neighbours.fetchVolume`. Rejects with NoVolumeError. */
  async fetch(root: Root): Promise<VolumeIndex> {
    const here = await this.#options.volumes.get(root);
    const { blocks } = this.#options;
    if (here && metadataBlocks(here).every((id) => blocks.has(id))) {
      await this.#settle(root);
      return here;
    }
    this.#settled.delete(root);
    return this.#once(root, 'whole');
  }

  /** Metadata blocks may have come one by one, and whoever mounts the volume relies on them. */
  async #settle(root: Root): Promise<void> {
    if (this.#settled.has(root)) return;
    await this.#options.blocks.sync();
    this.#settled.set(root, true);
  }

  async #whole(root: Root): Promise<VolumeIndex> {
    try {
      return await this.#fromAnybody(root, 'whole');
    } catch (error) {
      if (!(error instanceof NoVolumeError)) throw error;
      return await this.#gathered(root);
    }
  }

  async #gathered(root: Root): Promise<VolumeIndex> {
    const { blocks, want, log } = this.#options;
    const index = await this.fetchIndex(root);
    const missing = metadataBlocks(index).filter((id) => !blocks.has(id));
    log.info({ root, blocks: missing.length }, 'no neighbour has all metadata blocks: they are gathered');
    const signal = AbortSignal.timeout(GATHER_MS);
    try {
      await Promise.all(missing.map((id) => want(id, root, signal)));
    } catch (error) {
      throw new NoVolumeError(root, `a metadata block is missing: ${(error as Error).message}`);
    }
    await blocks.sync();
    return index;
  }

  /** The index alone, published. Rejects with NoVolumeError. */
  async fetchIndex(root: Root): Promise<VolumeIndex> {
    return (await this.#options.volumes.get(root)) ?? this.#once(root, 'index');
  }

  #once(root: Root, part: Part): Promise<VolumeIndex> {
    const key = `${part} ${root}`;
    const running = this.#running.get(key);
    if (running) return running;
    const fetched = part === 'whole' ? this.#whole(root) : this.#fromAnybody(root, part);
    const fetching = fetched.finally(() => this.#running.delete(key));
    this.#running.set(key, fetching);
    return fetching;
  }

  async #fromAnybody(root: Root, part: Part): Promise<VolumeIndex> {
    const { links, holders, log } = this.#options;
    const reasons: string[] = [];
    for (const link of holders.sorted(root, links)) {
      const { client } = link;
      if (!client) continue;
      try {
        return await this.#from(link, client, root, part);
      } catch (error) {
        if (failureOf(error) === 'ours') throw error;
        const reason = (error as Error).message;
        reasons.push(`${link.name}: ${reason}`);
        this.#judge(link, client, root, error as Error);
        log.info(
          { peer: link.name, address: link.address, root, reason },
          'a volume is asked of the next neighbour',
        );
      }
    }
    throw new NoVolumeError(root, reasons.join('; ') || 'no neighbour answers');
  }

  async #from(link: Link, client: PeerClient, root: Root, part: Part): Promise<VolumeIndex> {
    const controller = new AbortController();
    const silentMs = Math.max(SILENT_MIN_MS, SILENT_FACTOR * link.meter.assumedRttMs);
    const timer = setTimeout(() => controller.abort(), silentMs);
    const heard = (bytes: number) => {
      timer.refresh();
      this.#fetchedBytes += bytes;
      link.heard(bytes);
    };
    link.calls++;
    try {
      const replies = client.volume(root, part === 'index', controller.signal);
      return part === 'index'
        ? await receiveIndex(replies, root, this.#options.volumes, heard)
        : await receiveVolume(replies, root, this.#options, heard);
    } catch (error) {
      if (controller.signal.aborted) link.suspect();
      throw error;
    } finally {
      clearTimeout(timer);
      link.calls--;
      if (link.calls === 0) link.meter.idle();
    }
  }

  #judge(link: Link, client: PeerClient, root: Root, error: Error): void {
    const failure = failureOf(error);
    this.#options.holders.forget(root, link.name);
    if (failure === 'gone') link.lost(client, error.message);
    if (failure !== 'faulty') return;
    link.penalizedUntilMs = performance.now() + PENALTY_MS;
    this.#options.log.warn({ peer: link.name, root, reason: error.message }, 'a neighbour sent a bad volume');
  }
}
