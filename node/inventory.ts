/** What `forage status` and the metrics show, gathered from the node's parts. */
import type { BlockStore, Root, VolumeStore } from '../blocks/types.ts';
import type { CustodyTotals } from '../peers/placement/custodian.ts';
import type { Peer, TransferTotals } from '../peers/types.ts';
import { blocksHere } from './blocks-here.ts';
import type { Demand } from './demand.ts';
import type { ErofsMounts } from './erofs-mounts.ts';
import type { Ingester } from './ingester.ts';
import type { LayerRecords } from './records.ts';
import type { NodeView, VolumeStatus } from './view.ts';

/** Of a node that is in no cluster. */
const NO_CUSTODY: CustodyTotals = { pinned: 0, fetched: 0, fetchedBytes: 0, dropped: 0, asked: 0 };

export interface InventoryParts {
  /** Asked each time: the name comes with the certificate. */
  name: () => string;
  version: string;
  blocks: BlockStore;
  volumes: VolumeStore;
  records: LayerRecords;
  mounts: ErofsMounts;
  peers: () => readonly Peer[];
  transfers: () => TransferTotals;
  custody: () => CustodyTotals | undefined;
  demand: Demand;
  ingester: Ingester | undefined;
  inUse: () => ReadonlySet<Root>;
}

export function createInventory(parts: InventoryParts): NodeView {
  const { blocks, volumes, records, mounts, demand } = parts;

  async function volumeStatus(root: Root): Promise<VolumeStatus | undefined> {
    const index = await volumes.get(root);
    if (index === undefined) return undefined;
    const record = [...records.all()].find((candidate) => candidate.root === root);
    const here = blocksHere(index, blocks);
    return {
      root,
      chainId: record?.chainId ?? '',
      diffId: record?.diffId ?? '',
      format: index.format,
      sizeBytes: index.sizeBytes,
      blocks: here.distinct,
      blocksHere: here.count,
      bytesHere: here.bytes,
      mounted: mounts.mounted().has(root),
      inUse: parts.inUse().has(root),
    };
  }

  return {
    status: () => ({
      node: parts.name(),
      version: parts.version,
      peers: parts.peers(),
      volumes: [...volumes.roots()].length,
      blocks: blocks.stats(),
      ...parts.transfers(),
      demandReads: demand.total(),
      waitingReads: demand.waiting(),
      custody: parts.custody() ?? NO_CUSTODY,
      ingest: parts.ingester?.stats() ?? { queued: 0, running: 0, done: 0, failed: 0 },
    }),
    async volumes() {
      const all = await Promise.all([...volumes.roots()].map(volumeStatus));
      return all.filter((volume) => volume !== undefined);
    },
  };
}
