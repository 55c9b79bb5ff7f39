/** The admin service on run/admin.sock, for `forage status` and `forage volumes`. */
import { Server, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { AdminService, admin } from '../proto/admin.ts';
import { toInt64 } from '../proto/int64.ts';
import { implement } from '../proto/serve.ts';
import { listenUnix } from './unix-server.ts';
import type { NodeStatus, NodeView, VolumeStatus } from './view.ts';

export interface Admin {
  stop(): Promise<void>;
}

export async function startAdmin(socketPath: string, view: NodeView, logger: Logger): Promise<Admin> {
  const server = new Server();
  const handlers = {
    status: async () => statusReply(view.status()),
    volumes: async () => {
      const reply = new admin.VolumesReply();
      reply.setVolumesList((await view.volumes()).map(volumeOf));
      return reply;
    },
  };
  const toStatus = (error: unknown, path: string) => {
    logger.error({ err: error, path }, 'admin call failed');
    return { code: status.INTERNAL, details: "internal error; the node's log has the cause" };
  };
  server.addService(AdminService, implement(AdminService, handlers, toStatus));
  await listenUnix(server, socketPath);
  return { stop: async () => server.forceShutdown() };
}

function statusReply(from: NodeStatus): admin.StatusReply {
  const reply = new admin.StatusReply();
  reply.setNode(from.node);
  reply.setVersion(from.version);
  reply.setPeersList(from.peers.map(peerOf));
  reply.setVolumes(from.volumes);
  const blocks = new admin.Blocks();
  blocks.setCount(toInt64(from.blocks.count));
  blocks.setBytes(toInt64(from.blocks.bytes));
  reply.setBlocks(blocks);
  reply.setFetchedBytes(toInt64(from.fetchedBytes));
  reply.setServedBytes(toInt64(from.servedBytes));
  reply.setDemandReads(toInt64(from.demandReads));
  reply.setWaitingReads(from.waitingReads);
  const ingest = new admin.Ingest();
  ingest.setQueued(from.ingest.queued);
  ingest.setRunning(from.ingest.running);
  ingest.setDone(from.ingest.done);
  ingest.setFailed(from.ingest.failed);
  reply.setIngest(ingest);
  return reply;
}

function peerOf(from: NodeStatus['peers'][number]): admin.Peer {
  const peer = new admin.Peer();
  peer.setAddress(from.address);
  peer.setName(from.name ?? '');
  peer.setState(from.state);
  peer.setRttMs(from.rttMs ?? 0);
  peer.setBytesPerSecond(from.bytesPerSecond ?? 0);
  return peer;
}

function volumeOf(from: VolumeStatus): admin.Volume {
  const volume = new admin.Volume();
  volume.setRoot(from.root);
  volume.setChainId(from.chainId);
  volume.setDiffId(from.diffId);
  volume.setFormat(from.format);
  volume.setSizeBytes(toInt64(from.sizeBytes));
  volume.setBlocks(from.blocks);
  volume.setBlocksHere(from.blocksHere);
  volume.setBytesHere(toInt64(from.bytesHere));
  volume.setComplete(from.blocksHere === from.blocks);
  volume.setMounted(from.mounted);
  volume.setInUse(from.inUse);
  return volume;
}
