/** Messages and service of `forage/admin/v1/admin.proto`. */
import pb from './gen/forage/admin/v1/admin_pb.js';
import { methodsOf } from './service.ts';

export { pb as admin };

const { unary } = methodsOf('forage.admin.v1.Admin');

export const AdminService = {
  status: unary('Status', pb.StatusRequest, pb.StatusReply),
  volumes: unary('Volumes', pb.VolumesRequest, pb.VolumesReply),
};
