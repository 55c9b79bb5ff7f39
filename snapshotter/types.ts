/**
 * The contracts of the snapshotter. `Snapshotter` has containerd's own lifecycle (containerd's
 * core/snapshots/snapshotter.go describes it): Prepare or View makes an active snapshot on a parent, Commit makes it
 * a committed one that may be a parent itself, Remove ends it.
 */
import type { ChainId, LayerRecord, Root } from '../blocks/types.ts';

export type Kind = 'view' | 'active' | 'committed';

export interface SnapshotInfo {
  kind: Kind;
  name: string;
  parent: string;
  labels: Record<string, string>;
  createdAt: Date;
  updatedAt: Date;
}

/** As in containerd's api/types/mount.proto. */
export interface Mount {
  type: string;
  source: string;
  target: string;
  options: string[];
}

export interface Usage {
  sizeBytes: number;
  inodes: number;
}

/** containerd's error classes; one table maps them to gRPC codes. */
export type ErrorKind =
  | 'not-found'
  | 'already-exists'
  | 'invalid-argument'
  | 'failed-precondition'
  | 'unavailable'
  | 'unimplemented';

/** What containerd may ask. Names are containerd's backend names, `<namespace>/<sequence>/<key or chainID>`. */
export interface Snapshotter {
  prepare(key: string, parent: string, labels: Record<string, string>): Promise<Mount[]>;
  view(key: string, parent: string, labels: Record<string, string>): Promise<Mount[]>;
  mounts(key: string): Promise<Mount[]>;
  commit(name: string, key: string, labels: Record<string, string>): Promise<void>;
  remove(key: string): Promise<void>;
  stat(key: string): Promise<SnapshotInfo>;
  update(info: SnapshotInfo, fields: readonly string[]): Promise<SnapshotInfo>;
  list(filters: readonly string[]): AsyncIterable<SnapshotInfo>;
  usage(key: string): Promise<Usage>;
  cleanup(): Promise<void>;
}

/** A layer that can be mounted: its volume is here with all of its metadata blocks. */
export interface LayerVolume {
  record: LayerRecord;
  /** Where its EROFS is mounted. */
  mountPoint: string;
}

/**
 * What the snapshotter needs of layers; `node/layers.ts` implements it over blocks and peers, tests use a twin in memory.
 */
export interface Layers {
  /**
   * Makes the layer's volume mountable and mounts it: from here, or from neighbours within a bounded time.
   * undefined: nobody has it (containerd is to unpack it).
   */
  offer(chainId: ChainId): Promise<LayerVolume | undefined>;
  /**
   * A layer was unpacked and committed here: make its volume in the background. `directory` is the unpacked upper
   * directory, `lowers` are those below it, nearest first. Calls `done` once the volume is durable and mounted.
   */
  ingest(layer: CommittedLayer, done: (volume: LayerVolume) => Promise<void>): void;
  /** Mounts again what a snapshot in the chain needs, after a restart of the machine or of the node process. */
  mount(root: Root): Promise<string>;
  /** No snapshot needs this volume mounted any longer. */
  unmount(root: Root): Promise<void>;
  /** No snapshot has the layer any longer: its volume may be dropped when nothing else uses it. */
  release(chainId: ChainId): Promise<void>;
  /** The volumes that active snapshots use have changed (completion follows this set). */
  inUse(roots: ReadonlySet<Root>): void;
}

export interface CommittedLayer {
  /** containerd's namespace, from the backend name: where the layer's blob and its lease live. */
  namespace: string;
  chainId: ChainId;
  /** chainID of the parent, '' for the lowest layer. */
  parent: ChainId | '';
  directory: string;
  lowers: string[];
}
