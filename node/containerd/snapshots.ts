/** containerd's snapshots, by the names that clients see: chainIDs for layers, keys for what containers write to. */
import { isDigest } from '../../blocks/digest.ts';
import type { ChainId } from '../../blocks/types.ts';
import { snapshots as pb, SnapshotsService } from '../../proto/snapshots.ts';
import { type Connection, ContainerdError, type Scope } from './connection.ts';

/** As in containerd's api/types/mount.proto. */
export interface SnapshotMount {
  type: string;
  source: string;
  target: string;
  options: string[];
}

/** All throw `ContainerdError`. */
export interface ContainerSnapshots {
  /** The layers below a container's snapshot, lowest first. */
  chainOf(scope: Scope, snapshotter: string, key: string): Promise<ChainId[]>;
  /**
   * Makes a layer known to containerd without its bytes, as pulling does with a snapshotter that has them: the snapshotter is asked to
   * prepare it, and says that it exists. False: it does not have it.
   */
  offer(scope: Scope, snapshotter: string, chainId: ChainId, parent: ChainId | ''): Promise<boolean>;
  /** A writable snapshot. */
  prepare(scope: Scope, snapshotter: string, key: string, parent: string): Promise<SnapshotMount[]>;
  mounts(scope: Scope, snapshotter: string, key: string): Promise<SnapshotMount[]>;
  remove(scope: Scope, snapshotter: string, key: string): Promise<void>;
}

/** What containerd calls the layer that is asked for. */
const LAYER_LABEL = 'containerd.io/snapshot.ref';
const MAX_LAYERS = 512;

export function containerSnapshots(connection: Connection): ContainerSnapshots {
  const { call } = connection;

  async function stat(scope: Scope, snapshotter: string, key: string): Promise<pb.Info> {
    const request = new pb.StatSnapshotRequest().setSnapshotter(snapshotter).setKey(key);
    return (await call(SnapshotsService.stat, scope, request)).getInfo()!;
  }

  async function prepare(
    scope: Scope,
    snapshotter: string,
    key: string,
    parent: string,
    labels: Record<string, string> = {},
  ): Promise<SnapshotMount[]> {
    const request = new pb.PrepareSnapshotRequest().setSnapshotter(snapshotter).setKey(key).setParent(parent);
    for (const [label, value] of Object.entries(labels)) request.getLabelsMap().set(label, value);
    const reply = await call(SnapshotsService.prepare, scope, request);
    return reply.getMountsList().map(mountFrom);
  }

  async function remove(scope: Scope, snapshotter: string, key: string): Promise<void> {
    const request = new pb.RemoveSnapshotRequest().setSnapshotter(snapshotter).setKey(key);
    await call(SnapshotsService.remove, scope, request);
  }

  return {
    async chainOf(scope, snapshotter, key) {
      const chain: ChainId[] = [];
      let name = (await stat(scope, snapshotter, key)).getParent();
      while (name !== '' && chain.length < MAX_LAYERS) {
        if (!isDigest(name)) throw new ContainerdError('failed', `snapshot ${name} is no layer`, undefined);
        chain.unshift(name);
        name = (await stat(scope, snapshotter, name)).getParent();
      }
      return chain;
    },
    async offer(scope, snapshotter, chainId, parent) {
      const key = `forage-restore-${chainId.slice('sha256:'.length)}`;
      try {
        await prepare(scope, snapshotter, key, parent, { [LAYER_LABEL]: chainId });
      } catch (error) {
        if (error instanceof ContainerdError && error.kind === 'exists') return true;
        throw error;
      }
      await remove(scope, snapshotter, key);
      return false;
    },
    prepare: (scope, snapshotter, key, parent) => prepare(scope, snapshotter, key, parent),
    async mounts(scope, snapshotter, key) {
      const request = new pb.MountsRequest().setSnapshotter(snapshotter).setKey(key);
      return (await call(SnapshotsService.mounts, scope, request)).getMountsList().map(mountFrom);
    },
    remove,
  };
}

function mountFrom(mount: ReturnType<pb.MountsResponse['getMountsList']>[number]): SnapshotMount {
  return {
    type: mount.getType(),
    source: mount.getSource(),
    target: mount.getTarget(),
    options: mount.getOptionsList(),
  };
}
