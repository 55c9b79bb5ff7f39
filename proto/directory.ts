/** Messages and service of `forage/directory/v1/directory.proto`. */
import pb from './gen/forage/directory/v1/directory_pb.js';
import { methodsOf } from './service.ts';

export { pb as directory };

const { unary } = methodsOf('forage.directory.v1.Directory');

export const DirectoryService = {
  digest: unary('Digest', pb.DigestRequest, pb.DigestReply),
  ids: unary('Ids', pb.IdsRequest, pb.IdsReply),
  records: unary('Records', pb.RecordsRequest, pb.RecordsReply),
  layers: unary('Layers', pb.LayersRequest, pb.RecordsReply),
};
