/** Messages and service of containerd's snapshots API, which forage serves. */
import empty from 'google-protobuf/google/protobuf/empty_pb.js';
import fieldMask from 'google-protobuf/google/protobuf/field_mask_pb.js';
import timestamp from 'google-protobuf/google/protobuf/timestamp_pb.js';
import pb from './gen/containerd/services/snapshots/v1/snapshots_pb.js';
import mount from './gen/containerd/types/mount_pb.js';
import { methodsOf } from './service.ts';

export { empty, fieldMask, mount, pb as snapshots, timestamp };

const { unary, stream } = methodsOf('containerd.services.snapshots.v1.Snapshots');

export const SnapshotsService = {
  prepare: unary('Prepare', pb.PrepareSnapshotRequest, pb.PrepareSnapshotResponse),
  view: unary('View', pb.ViewSnapshotRequest, pb.ViewSnapshotResponse),
  mounts: unary('Mounts', pb.MountsRequest, pb.MountsResponse),
  commit: unary('Commit', pb.CommitSnapshotRequest, empty.Empty),
  remove: unary('Remove', pb.RemoveSnapshotRequest, empty.Empty),
  stat: unary('Stat', pb.StatSnapshotRequest, pb.StatSnapshotResponse),
  update: unary('Update', pb.UpdateSnapshotRequest, pb.UpdateSnapshotResponse),
  list: stream('List', pb.ListSnapshotsRequest, pb.ListSnapshotsResponse),
  usage: unary('Usage', pb.UsageRequest, pb.UsageResponse),
  cleanup: unary('Cleanup', pb.CleanupRequest, empty.Empty),
};
