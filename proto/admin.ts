/** Messages and service of `forage/admin/v1/admin.proto`. */
import pb from './gen/forage/admin/v1/admin_pb.js';
import peer from './gen/forage/peer/v1/peers_pb.js';
import { methodsOf } from './service.ts';

export { pb as admin };

const { unary, stream } = methodsOf('forage.admin.v1.Admin');

export const AdminService = {
  status: unary('Status', pb.StatusRequest, pb.StatusReply),
  volumes: unary('Volumes', pb.VolumesRequest, pb.VolumesReply),
  peers: unary('Peers', pb.PeersRequest, pb.PeersReply),
  images: unary('Images', pb.ImagesRequest, pb.ImagesReply),
  removeImage: unary('RemoveImage', pb.RemoveImageRequest, pb.RemoveImageReply),
  collect: unary('Collect', pb.CollectRequest, pb.CollectReply),
  drain: stream('Drain', pb.DrainRequest, pb.Progress),
  undrain: unary('Undrain', pb.UndrainRequest, pb.UndrainReply),
  prefetch: stream('Prefetch', pb.PrefetchRequest, pb.Progress),
  revoke: unary('Revoke', pb.RevokeRequest, pb.RevokeReply),
  verify: unary('Verify', pb.VerifyRequest, pb.VerifyReply),
  checkpoints: unary('Checkpoints', pb.CheckpointsRequest, pb.CheckpointsReply),
  inspectCheckpoint: unary('InspectCheckpoint', pb.CheckpointRequest, pb.InspectCheckpointReply),
  removeCheckpoint: unary('RemoveCheckpoint', pb.CheckpointRequest, pb.RemoveCheckpointReply),
  settleCheckpoint: stream('SettleCheckpoint', pb.CheckpointRequest, pb.CheckpointStage),
  exportCheckpoint: stream('ExportCheckpoint', pb.CheckpointFileRequest, pb.CheckpointFileProgress),
  importCheckpoint: stream('ImportCheckpoint', pb.CheckpointFileRequest, pb.CheckpointFileProgress),
  restore: stream('Restore', pb.RestoreRequest, peer.RestoreProgress),
};
