/** Messages and service of `forage/peer/v1/peers.proto`. */
import pb from './gen/forage/peer/v1/peers_pb.js';
import { methodsOf } from './service.ts';

export { pb as peer };

const { unary, stream } = methodsOf('forage.peer.v1.Peers');

export const PeersService = {
  ping: unary('Ping', pb.PingRequest, pb.PingReply),
  getVolume: stream('GetVolume', pb.GetVolumeRequest, pb.GetVolumeReply),
  pin: unary('Pin', pb.PinRequest, pb.PinReply),
  restore: stream('Restore', pb.RestoreRequest, pb.RestoreProgress),
};
