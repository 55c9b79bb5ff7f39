/**
 * The answer "already exists": a layer that need not be downloaded, because its volume is here or at a neighbour.
 *
 * containerd then lists the committed snapshots for one with this chainID in its label and with this parent; if it
 * finds none the pull fails. So the order is: mount the volume, record the snapshot durably, answer. Whatever goes
 * wrong before that is a miss, and containerd downloads the layer.
 */
import type { Logger } from 'pino';
import type { ChainId } from '../blocks/types.ts';
import type { Keeper } from './keeper.ts';
import type { KeyedLock } from './keyed-lock.ts';
import type { Links } from './links.ts';
import type { Metadata } from './metadata.ts';
import { offeredName, type SnapshotRecord } from './record.ts';
import type { Releases } from './releases.ts';
import type { Layers, LayerVolume } from './types.ts';

export interface OfferParts {
  metadata: Metadata;
  layers: Layers;
  links: Links;
  keeper: Keeper;
  releases: Releases;
  chainLock: KeyedLock;
  logger: Logger;
}

/** The arguments of a `Prepare` for a layer. */
export interface Wanted {
  key: string;
  parent: string;
  chainId: ChainId;
  labels: Record<string, string>;
}

export class Offers {
  readonly #parts: OfferParts;

  constructor(parts: OfferParts) {
    this.#parts = parts;
  }

  /** True: a committed snapshot of this layer on this parent is there, durably. Never rejects. */
  async have(wanted: Wanted): Promise<boolean> {
    const { chainLock, releases, logger } = this.#parts;
    try {
      return await chainLock.run(wanted.chainId, () => this.#have(wanted));
    } catch (error) {
      logger.warn({ chainId: wanted.chainId, err: error }, 'layer not offered; containerd is to download it');
      // It may be here by now, of no use to anybody.
      releases.releaseLater(wanted.chainId);
      return false;
    }
  }

  async #have(wanted: Wanted): Promise<boolean> {
    const { metadata, layers, keeper } = this.#parts;
    const { chainId, parent } = wanted;
    if (metadata.catalogue.offered(chainId, parent)) {
      await metadata.settled();
      return true;
    }
    const below = parent === '' ? '' : chainIdOf(metadata.catalogue.need(parent));
    if (below === undefined) return false;
    const volume = await layers.offer(chainId);
    if (volume === undefined) return false;
    keeper.adopt(volume.record.root);
    if (volume.record.chainId !== chainId || volume.record.parent !== below) {
      throw new Error(
        `the record of ${chainId} is of ${volume.record.chainId} on ${volume.record.parent || 'nothing'}`,
      );
    }
    await this.#record(wanted, volume);
    return true;
  }

  async #record(
    { key, parent, chainId, labels }: Wanted,
    { record, mountPoint }: LayerVolume,
  ): Promise<void> {
    const { metadata, links, keeper } = this.#parts;
    const id = metadata.catalogue.takeId();
    await links.point(id, mountPoint);
    try {
      await metadata.change((catalogue) => {
        const layer = { at: 'volume', root: record.root } as const;
        return catalogue.createOffered(id, offeredName(key, id, chainId), parent, labels, chainId, layer);
      });
    } catch (error) {
      await links.remove(id);
      throw error;
    }
    keeper.changed();
  }
}

/** undefined: not a layer that its name identifies. */
function chainIdOf(record: SnapshotRecord): ChainId | undefined {
  return record.kind === 'committed' && record.chainId !== '' ? record.chainId : undefined;
}
