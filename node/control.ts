/**
 * What a person may ask of the node, and see of the cluster, as plain data: the contract between the admin service (admin.ts)
 * and the parts that do it (cluster.ts). Reading is cheap; what takes long tells its progress.
 */
import type { ChainId, DiffId, Root } from '../blocks/types.ts';
import type { Digest, SignedRecord } from '../peers/directory/types.ts';

/** A node of the cluster as this one sees it; this one is among them. */
export interface PeerStatus {
  name: string;
  /** `host:port` of its peer service. */
  address: string;
  /** What membership says. `self` is this node. */
  state: 'self' | 'alive' | 'suspect' | 'gone' | 'left';
  /** It gives everything away, or has done so: it owns nothing. */
  draining: boolean;
  /** Whether this node has a connection to it. Of this node itself: `up`. */
  link: 'up' | 'down' | 'unknown';
  /** Smoothed round trip, and rate of block transfers from it; undefined before there were any. */
  rttMs: number | undefined;
  bytesPerSecond: number | undefined;
  /** What it has room for: its weight in placement. */
  capacityBytes: number;
  /** The part of all blocks that it owns in this node's view, 0 to 1; with r replicas all parts add up to r. */
  ownedShare: number;
}

/** An image that a node of the cluster has pulled. */
export interface ImageStatus {
  name: string;
  /** Of the manifest. */
  digest: Digest;
  /** When the first of these nodes said so. */
  createdMs: number;
  /** Names of the nodes that have pulled it, sorted. */
  nodes: string[];
  layers: number;
  /** Of these, those that the cluster holds as volumes. */
  volumes: number;
  /** All distinct blocks of these volumes, and those of them that are on this node. */
  blockBytes: number;
  bytesHere: number;
}

export interface RemovedImage {
  name: string;
  /** Layers that nothing else in the cluster uses: their blocks go, on every node. */
  layersFreed: number;
  /** Layers that stay because other images or checkpoints have them. */
  layersShared: number;
  /** Nodes that still have the image in containerd and so keep it alive: sorted names. */
  stillUsedBy: string[];
}

export interface Collected {
  /** Blocks removed from this node, and their bytes. */
  blocks: number;
  bytes: number;
  /** What is here afterwards. */
  leftBlocks: number;
  leftBytes: number;
}

/** How far long work is. `total` may change while it goes on. */
export interface Progress {
  doneBlocks: number;
  totalBlocks: number;
  doneBytes: number;
  totalBytes: number;
}

export interface VerifiedLayer {
  chainId: ChainId;
  diffId: DiffId;
  /** What the cluster believes. */
  root: Root;
  format: string;
  /** What this node has derived from the layer's own bytes. */
  derivedRoot: Root;
  /** Nodes that say that they have derived the believed root themselves: sorted names. */
  ingestedBy: string[];
  matches: boolean;
}

/** The request cannot be done as asked; the message is for the person. */
export class RefusedError extends Error {
  /** `absent`: no such image or layer. `invalid`: not a proper name. `state`: not now. */
  readonly kind: 'absent' | 'invalid' | 'state';
  constructor(kind: 'absent' | 'invalid' | 'state', message: string) {
    super(message);
    this.name = 'RefusedError';
    this.kind = kind;
  }
}

/** All throw RefusedError where a person has asked for what cannot be. */
export interface NodeControl {
  peers(): readonly PeerStatus[];
  images(): Promise<ImageStatus[]>;
  removeImage(name: string): Promise<RemovedImage>;
  /** Removes now what the node may remove at all, instead of when space is short. */
  collect(): Promise<Collected>;
  /** Gives everything away; ends when nothing is left to give. It goes on, also after a restart, until `undrain`. */
  drain(signal: AbortSignal): AsyncIterable<Progress>;
  undrain(): Promise<void>;
  /** Brings all blocks of an image that the cluster knows to this node. Leaving the loop ends it. */
  prefetch(image: string, signal: AbortSignal): AsyncIterable<Progress>;
  /** Takes a record that the cluster's authority has signed, and tells all nodes. */
  revoke(record: SignedRecord): Promise<void>;
  /**
   * `layer`: a chainID or diffID. Makes the volume again from `file` (absolute path of the layer as the registry has it: tar, gzip or
   * zstd), or, without one, from the blob in containerd's content store.
   */
  verify(layer: string, file: string | undefined, signal: AbortSignal): Promise<VerifiedLayer>;
}
