/** containerd's snapshots service over a `Snapshotter`: unpack, call one method, convert. */
import { toInt64 } from '../proto/int64.ts';
import type { Handlers } from '../proto/serve.ts';
import { empty, mount, snapshots as pb, type SnapshotsService, timestamp } from '../proto/snapshots.ts';
import { SnapshotError } from './errors.ts';
import type { Kind, Mount, SnapshotInfo, Snapshotter } from './types.ts';

/** Snapshots in one message of a list: far below any limit on a message, also with many labels. */
const LIST_BATCH = 100;

export function snapshotsHandlers(snapshotter: Snapshotter): Handlers<typeof SnapshotsService> {
  return {
    async prepare(request) {
      const mounts = await snapshotter.prepare(request.getKey(), request.getParent(), labelsOf(request));
      return new pb.PrepareSnapshotResponse().setMountsList(mounts.map(toMount));
    },
    async view(request) {
      const mounts = await snapshotter.view(request.getKey(), request.getParent(), labelsOf(request));
      return new pb.ViewSnapshotResponse().setMountsList(mounts.map(toMount));
    },
    async mounts(request) {
      const mounts = await snapshotter.mounts(request.getKey());
      return new pb.MountsResponse().setMountsList(mounts.map(toMount));
    },
    async commit(request) {
      if (request.getParent() !== '') throw new SnapshotError('unimplemented', 'rebase is not supported');
      await snapshotter.commit(request.getName(), request.getKey(), labelsOf(request));
      return new empty.Empty();
    },
    async remove(request) {
      await snapshotter.remove(request.getKey());
      return new empty.Empty();
    },
    async stat(request) {
      return new pb.StatSnapshotResponse().setInfo(toInfo(await snapshotter.stat(request.getKey())));
    },
    async update(request) {
      const info = request.getInfo();
      if (info === undefined) throw new SnapshotError('invalid-argument', 'an update needs a snapshot');
      const fields = request.getUpdateMask()?.getPathsList() ?? [];
      return new pb.UpdateSnapshotResponse().setInfo(
        toInfo(await snapshotter.update(fromInfo(info), fields)),
      );
    },
    async *list(request) {
      let batch: pb.Info[] = [];
      for await (const info of snapshotter.list(request.getFiltersList())) {
        if (batch.push(toInfo(info)) < LIST_BATCH) continue;
        yield new pb.ListSnapshotsResponse().setInfoList(batch);
        batch = [];
      }
      if (batch.length > 0) yield new pb.ListSnapshotsResponse().setInfoList(batch);
    },
    async usage(request) {
      const { sizeBytes, inodes } = await snapshotter.usage(request.getKey());
      return new pb.UsageResponse().setSize(toInt64(sizeBytes)).setInodes(toInt64(inodes));
    },
    async cleanup() {
      await snapshotter.cleanup();
      return new empty.Empty();
    },
  };
}

const KINDS = {
  view: pb.Kind.VIEW,
  active: pb.Kind.ACTIVE,
  committed: pb.Kind.COMMITTED,
} satisfies Record<Kind, pb.Kind>;

function toMount({ type, source, target, options }: Mount): mount.Mount {
  return new mount.Mount().setType(type).setSource(source).setTarget(target).setOptionsList(options);
}

function toInfo(info: SnapshotInfo): pb.Info {
  const message = new pb.Info()
    .setName(info.name)
    .setParent(info.parent)
    .setKind(KINDS[info.kind])
    .setCreatedAt(toTimestamp(info.createdAtMs))
    .setUpdatedAt(toTimestamp(info.updatedAtMs));
  const labels = message.getLabelsMap();
  for (const [name, value] of Object.entries(info.labels)) labels.set(name, value);
  return message;
}

/** Of an update: only the name and the labels say anything. */
function fromInfo(message: pb.Info): Pick<SnapshotInfo, 'name' | 'labels'> {
  return { name: message.getName(), labels: labelsOf(message) };
}

function labelsOf(message: {
  getLabelsMap(): { entries(): Iterable<[string, string]> };
}): Record<string, string> {
  return Object.fromEntries(message.getLabelsMap().entries());
}

function toTimestamp(timeMs: number): timestamp.Timestamp {
  const seconds = Math.floor(timeMs / 1000);
  return new timestamp.Timestamp().setSeconds(seconds).setNanos(Math.floor((timeMs - seconds * 1000) * 1e6));
}
