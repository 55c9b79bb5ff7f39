/** Messages and service of `forage/peer/v1/peers.proto`. */
import pb from './gen/forage/peer/v1/peers_pb.js';
import { methodsOf } from './service.ts';

export { pb as peer };

const { unary, stream } = methodsOf('forage.peer.v1.Peers');

export const PeersService = {
  findLayer: unary('FindLayer', pb.FindLayerRequest, pb.FindLayerReply),
  getVolume: stream('GetVolume', pb.GetVolumeRequest, pb.GetVolumeReply),
};
