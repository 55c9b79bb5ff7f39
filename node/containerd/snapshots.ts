/** containerd's snapshots, by the names that clients see: chainIDs for layers, keys for what containers write to. */
import { randomUUID } from 'node:crypto';
import { isDigest } from '../../blocks/digest.ts';
import type { ChainId } from '../../blocks/types.ts';
import { snapshots as pb, SnapshotsService } from '../../proto/snapshots.ts';
import {
  type Connection,
  ContainerdError,
  DATA_TIMEOUT_MS,
  isContainerdError,
  type Scope,
} from './connection.ts';

/** As in containerd's api/types/mount.proto. */
export interface SnapshotMount {
  type: string;
  source: string;
  target: string;
  options: string[];
}

/** All throw `ContainerdError`. */
export interface ContainerSnapshots {
  /** The layers below a container's snapshot, lowest first. Throws where one of them is no layer: a container on a committed snapshot. */
  chainOf(scope: Scope, snapshotter: string, key: string): Promise<ChainId[]>;
  /**
   * Makes a layer known to containerd without its bytes, as pulling does with a snapshotter that has them: the snapshotter is asked to
   * prepare it, and says that it exists. False: it does not have it. The layer below must be known; the lease in `scope` holds this one.
   */
  offer(
    scope: Scope,
    snapshotter: string,
    chainId: ChainId,
    parent: ChainId | '',
    signal?: AbortSignal,
  ): Promise<boolean>;
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
  ): Promise<SnapshotMount[]> {
    const request = new pb.PrepareSnapshotRequest().setSnapshotter(snapshotter).setKey(key).setParent(parent);
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
      while (name !== '') {
        if (!isDigest(name)) throw notAChain(key, `${name} is no layer`);
        if (chain.length === MAX_LAYERS) throw notAChain(key, `there are more than ${MAX_LAYERS} layers`);
        chain.unshift(name);
        name = (await stat(scope, snapshotter, name)).getParent();
      }
      return chain;
    },
    async offer(scope, snapshotter, chainId, parent, signal) {
      // Of this call alone: a key that somebody else is using exists, too.
      const key = `forage-restore-${randomUUID()}`;
      const request = new pb.PrepareSnapshotRequest()
        .setSnapshotter(snapshotter)
        .setKey(key)
        .setParent(parent);
      request.getLabelsMap().set(LAYER_LABEL, chainId);
      try {
        await call(SnapshotsService.prepare, scope, request, signal, DATA_TIMEOUT_MS);
      } catch (error) {
        if (isContainerdError(error, 'exists')) return true;
        throw error;
      }
      await remove(scope, snapshotter, key);
      return false;
    },
    prepare,
    async mounts(scope, snapshotter, key) {
      const request = new pb.MountsRequest().setSnapshotter(snapshotter).setKey(key);
      return (await call(SnapshotsService.mounts, scope, request)).getMountsList().map(mountFrom);
    },
    remove,
  };
}

function notAChain(key: string, why: string): ContainerdError {
  return new ContainerdError(
    'failed',
    `what is below snapshot ${key} is no chain of layers: ${why}`,
    undefined,
  );
}

function mountFrom(mount: ReturnType<pb.MountsResponse['getMountsList']>[number]): SnapshotMount {
  return {
    type: mount.getType(),
    source: mount.getSource(),
    target: mount.getTarget(),
    options: mount.getOptionsList(),
  };
}
