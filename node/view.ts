/** What the node shows of itself, as plain data: to the admin service (admin.ts) and to the metrics (metrics.ts). */
import type { ChainId, DiffId, Root } from '../blocks/types.ts';
import type { CustodyTotals } from '../peers/placement/custodian.ts';
import type { Peer } from '../peers/types.ts';

/** Cheap enough to be asked for every second. Counters run since the node process started. */
export interface NodeStatus {
  /** Common name of its certificate; the host's name where it has none. */
  node: string;
  /** forage's version. */
  version: string;
  peers: readonly Peer[];
  /** Volumes whose index is here. */
  volumes: number;
  blocks: { count: number; bytes: number };
  /** Block bytes had from neighbours, and given to them. */
  fetchedBytes: number;
  servedBytes: number;
  /** Reads that found their block missing, and those of them that wait now. */
  demandReads: number;
  waitingReads: number;
  /** What this node keeps for the cluster. */
  custody: CustodyTotals;
  /** Layers on their way from unpacked directory to volume. */
  ingest: { queued: number; running: number; done: number; failed: number };
}

export interface VolumeStatus {
  root: Root;
  chainId: ChainId;
  diffId: DiffId | '';
  format: string;
  /** Of the EROFS image. */
  sizeBytes: number;
  /** Distinct blocks: in all, and those that are here. */
  blocks: number;
  blocksHere: number;
  bytesHere: number;
  mounted: boolean;
  /** An active snapshot has it in its chain. */
  inUse: boolean;
}

export interface NodeView {
  status(): NodeStatus;
  /** Looks at every block of every volume: for people, not for polling. */
  volumes(): Promise<VolumeStatus[]>;
}
