/**
 * The contracts of the peer layer: what the node, the snapshotter and the volume server's feeder see of it.
 */
import type { Logger } from 'pino';
import type { BlockId, ChainId, LayerRecord, Root, VolumeIndex } from '../blocks/types.ts';

export type Log = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** A neighbour, by the common name of its certificate. */
export interface Peer {
  name: string;
  /** `host:port` of its peer service. */
  address: string;
  state: 'up' | 'down' | 'unknown';
  /** Smoothed round trip; undefined before the first answer. */
  rttMs: number | undefined;
  /** Smoothed rate of block transfers from it. */
  bytesPerSecond: number | undefined;
}

/**
 * Best first. A demand read has a container waiting on it; `repair` brings what this node is to keep for others.
 */
export type Priority = 'demand' | 'prefetch' | 'completion' | 'repair';

/** What this node gets from its neighbours. */
export interface Neighbours {
  /**
   * What may be believed of a layer: from the directory, else neighbours are asked for their records, all at once. undefined after
   * `timeoutMs`, or when all have answered. Misses are remembered briefly.
   */
  findLayer(chainId: ChainId, timeoutMs: number): Promise<LayerRecord | undefined>;
  /** Index and metadata blocks of a volume, verified and stored (blocks synced before the index is published). */
  fetchVolume(root: Root): Promise<VolumeIndex>;
  /**
   * Resolves once the block is in the store. Requests for one block are merged; a higher priority lifts a waiting one.
   * Waits while no neighbour has it; rejects after the configured bound, or on abort. `root`, a volume that holds the
   * block, lets those be asked first who are known to have that volume.
   */
  want(id: BlockId, priority: Priority, signal?: AbortSignal, root?: Root): Promise<void>;
}

/** A container is wanted of a checkpoint. */
export interface RestoreOrder {
  checkpoint: string;
  /** containerd's. */
  namespace: string;
  /** Its new id. */
  container: string;
  /** All of its memory and files are brought before it runs; else they come as they are read. */
  whole: boolean;
  /** Only that, and what its image needs: no container is made, and the restore is complete without running. */
  prepare: boolean;
  /** The checkpoint to begin again from, should the memory of the other one not come; '': none. */
  fallback: string;
  /** Nothing is made: tells of a restore that was asked for before. Leaving the loop ends nothing. */
  follow: boolean;
}

/** How a restore goes on. The last one is `complete` or has `failed`. */
export interface RestoreProgress {
  text: string;
  running: boolean;
  /** All of its memory is here. */
  complete: boolean;
  /** Why there is no such container, or not any longer. */
  failed: string | undefined;
  /** Of the memory, what is here, and all of it. */
  hereBytes: number;
  totalBytes: number;
  /** What of it was here before: told at the end. */
  sharedBytes: number;
  /** Its memory did not come, and it has begun again from the fallback. */
  fellBack: boolean;
}

/** Makes a container. Leaving the loop before it runs ends it. */
export type RestoreHere = (order: RestoreOrder, signal: AbortSignal) => AsyncIterable<RestoreProgress>;

/** Bytes of blocks, volume indexes and metadata on the wire since the node process started. */
export interface TransferTotals {
  fetchedBytes: number;
  servedBytes: number;
}
