/**
 * Layers as volumes: the snapshotter's `Layers` over blocks, peers and EROFS mounts.
 *
 * Invariants: a record is written only when the volume's index is published and its metadata blocks are durable, and these stay as
 * long as the record does; so whatever `offer` answers can be mounted and walked without asking anybody. An index without a
 * record is of a volume that the cluster has. Making a volume (ingest, fetch) and dropping one exclude each other through the gate.
 */
import type { Logger } from 'pino';
import type { BlockStore, ChainId, LayerRecord, Root, VolumeStore } from '../blocks/types.ts';
import type { Neighbours } from '../peers/types.ts';
import type { Layers, LayerVolume } from '../snapshotter/types.ts';
import { blocksHere } from './blocks-here.ts';
import type { Collector } from './collector.ts';
import type { ErofsMounts } from './erofs-mounts.ts';
import type { Gate } from './gate.ts';
import type { Ingester } from './ingester.ts';
import type { LayerRecords } from './records.ts';

export interface LayersParts {
  records: LayerRecords;
  blocks: BlockStore;
  volumes: VolumeStore;
  neighbours: Neighbours;
  mounts: ErofsMounts;
  collector: Collector;
  gate: Gate;
  /** undefined: this node makes no volumes. */
  ingester: Ingester | undefined;
  /** How long a pull waits for neighbours to say whether they have a layer. */
  lookupMs: number;
  inUse: (roots: ReadonlySet<Root>) => void;
  /** A layer was asked for: containerd is pulling an image. */
  onOffer: () => void;
  logger: Logger;
}

export function createLayers(parts: LayersParts): Layers {
  const {
    records,
    blocks,
    volumes,
    neighbours,
    mounts,
    collector,
    gate,
    ingester,
    lookupMs,
    onOffer,
    logger,
  } = parts;

  function fromHere(chainId: ChainId): LayerRecord | undefined {
    const record = records.get(chainId);
    return record !== undefined && volumes.has(record.root) ? record : undefined;
  }

  async function fromNeighbours(chainId: ChainId): Promise<LayerRecord | undefined> {
    const found = await neighbours.findLayer(chainId, lookupMs);
    if (found === undefined) return undefined;
    return gate.shared(async () => {
      const index = await neighbours.fetchVolume(found.root);
      if (index.format !== found.format) {
        logger.warn(
          { chainId, record: found.format, volume: index.format },
          'a record with a wrong format id, refused',
        );
        return undefined;
      }
      const record: LayerRecord = { ...found, origin: 'copied' };
      await records.put(record);
      return record;
    });
  }

  async function mounted(record: LayerRecord): Promise<LayerVolume> {
    return { record, mountPoint: await mounts.ensure(record.root) };
  }

  return {
    async offer(chainId): Promise<LayerVolume | undefined> {
      ingester?.touch();
      onOffer();
      const record = fromHere(chainId) ?? (await fromNeighbours(chainId));
      if (record !== undefined) return mounted(record);
      ingester?.expect(chainId);
      return undefined;
    },

    ingest(layer, done) {
      if (ingester === undefined) void done(undefined);
      else ingester.add(layer, async (record) => done(record && (await mounted(record))));
    },

    mount: (root) => mounts.ensure(root),
    unmount: (root) => mounts.remove(root),
    release: (chainId) => collector.drop(chainId),
    inUse: parts.inUse,
    bytesHere: async (root) => {
      const index = await volumes.get(root);
      return index === undefined ? 0 : blocksHere(index, blocks).bytes;
    },
  };
}
