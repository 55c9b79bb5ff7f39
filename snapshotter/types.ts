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
  /** Milliseconds since 1970, with a fraction: containerd compares them with its own clock to the microsecond. */
  createdAtMs: number;
  updatedAtMs: number;
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

/** containerd's error classes; the table in `errors.ts` maps them to gRPC codes. */
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
  update(info: Pick<SnapshotInfo, 'name' | 'labels'>, fields: readonly string[]): Promise<SnapshotInfo>;
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
   * A layer was unpacked and committed here: make its volume in the background. Calls `done` once: when the volume is
   * durable and mounted, or with undefined when there will be none (the layer then stays a directory).
   */
  ingest(layer: CommittedLayer, done: (volume: LayerVolume | undefined) => Promise<void>): void;
  /** Mounts again what a snapshot in the chain needs, after a restart of the machine or of the node process. */
  mount(root: Root): Promise<string>;
  /** No snapshot needs this volume mounted any longer. */
  unmount(root: Root): Promise<void>;
  /** No snapshot has the layer any longer: its volume may be dropped when nothing else uses it. */
  release(chainId: ChainId): Promise<void>;
  /** The volumes that active snapshots use have changed (completion follows this set). */
  inUse(roots: ReadonlySet<Root>): void;
  /** How many bytes of the volume's blocks are on this node. */
  bytesHere(root: Root): Promise<number>;
}

export interface CommittedLayer {
  /** containerd's namespace, from the backend name: where the layer's blob and its lease live. */
  namespace: string;
  chainId: ChainId;
  /** chainID of the parent, '' for the lowest layer. */
  parent: ChainId | '';
  /** The unpacked upper directory; it does not change any more, and stays until `done` has been called. */
  directory: string;
  /** The layers below it, nearest first: paths (symlinks to directories) that can be read until `done` has been called. */
  lowers: string[];
}
