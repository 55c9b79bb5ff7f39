/**
 * The peer port: what this node gives to its neighbours. Every block is checked against its hash when it is read to be
 * sent; one that fails is removed by the store and answered as absent.
 */
import type { TLSSocket } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { BlockStore, VolumeIndex, VolumeStore } from '../../blocks/types.ts';
import { DirectoryService } from '../../proto/directory.ts';
import { PeersService, peer } from '../../proto/peer.ts';
import { type CallContext, type Handlers, implement } from '../../proto/serve.ts';
import { realClock } from '../clock.ts';
import { directoryHandlers } from '../directory/service.ts';
import type { DirectoryPeer } from '../directory/types.ts';
import type { PinAnswer, PinRequest } from '../placement/messages.ts';
import type { RestoreHere } from '../types.ts';
import { type Arriving, BlockConnection, heldSlots } from './block-server.ts';
import { errorToStatus } from './errors.ts';
import { BLOCKS_PROTOCOL } from './frames.ts';
import {
  MAX_BLOCK_CONNECTIONS,
  MAX_BLOCK_CONNECTIONS_PER_PEER,
  MAX_CALLS,
  MAX_CALLS_PER_PEER,
  MAX_REPLY_BYTES,
  MAX_REQUEST_BYTES,
  MAX_VOLUME_CALLS,
  VOLUME_WAIT_MAX_MS,
} from './limits.ts';
import { Line } from './line.ts';
import { type ListenOptions, listenTls } from './listener.ts';
import { orderFrom, progressMessage } from './restore-wire.ts';
import { compressedMetadata, pieces, readIndex } from './sending.ts';
import { Slots } from './slots.ts';
import { idsFrom, pinReply, pinRequestFrom } from './wire.ts';

export interface PeerServerOptions extends ListenOptions {
  blocks: BlockStore;
  volumes: VolumeStore;
  /** This node's own, as others may ask it. */
  directory: DirectoryPeer;
  /** Another node asks whether this one keeps blocks. Throws BadPinMessageError. */
  pin: (request: PinRequest) => Promise<PinAnswer[]>;
  /** See BlockServing. */
  arriving?: Arriving;
  /** Another node wants a container here; absent: there are none to be had. */
  restore?: RestoreHere;
}

export interface PeerServer {
  /** The port that it listens on. */
  port: number;
  /** Bytes of blocks, indexes and metadata given away so far. */
  servedBytes(): number;
  /** Ends the connections of whoever is no node any more. */
  recheck(): void;
  /** Ends all connections at once. */
  close(): void;
}

/** Dead clients are noticed by these, and free their slots. */
const KEEPALIVE_TIME_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Rejects when the address cannot be listened on. */
export async function startPeerServer(options: PeerServerOptions): Promise<PeerServer> {
  const { identity, listen, directory, log } = options;
  const served = { bytes: 0 };
  const calls = new Server({
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': MAX_REPLY_BYTES,
    'grpc.max_concurrent_streams': 2 * MAX_CALLS_PER_PEER,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
  });
  const toStatus = errorToStatus(log);
  calls.addService(PeersService, implement(PeersService, handlers(options, served), toStatus));
  calls.addService(DirectoryService, implement(DirectoryService, directoryHandlers(directory), toStatus));
  const acceptBlocks = blockAcceptor(options, served);
  const listener = await listenTls(options, {
    h2: injector(calls),
    [BLOCKS_PROTOCOL]: acceptBlocks,
  });
  log.info({ listen, port: listener.port, node: identity.name }, 'serving neighbours');
  return {
    port: listener.port,
    servedBytes: () => served.bytes,
    recheck: () => listener.recheck(),
    close() {
      listener.close();
      calls.forceShutdown();
    },
  };
}

/** gRPC on connections that are made, and secured, elsewhere. */
export function injector(server: Server): (socket: TLSSocket) => void {
  const { injectConnection } = server.createConnectionInjector(ServerCredentials.createInsecure());
  return injectConnection;
}

function blockAcceptor(
  { blocks, arriving = () => undefined, log }: PeerServerOptions,
  served: { bytes: number },
) {
  const connections = new Slots(MAX_BLOCK_CONNECTIONS_PER_PEER, MAX_BLOCK_CONNECTIONS);
  const slots = new Slots(MAX_CALLS_PER_PEER, MAX_CALLS);
  const holding = heldSlots();
  const onServed = (bytes: number) => {
    served.bytes += bytes;
  };
  return (socket: TLSSocket, client: string) => {
    const refuse = (reason: string) => {
      log.warn({ peer: socket.remoteAddress, name: client, reason }, 'a connection for blocks was refused');
      socket.destroy();
    };
    try {
      socket.once('close', connections.take(client));
    } catch (error) {
      return refuse((error as Error).message);
    }
    new BlockConnection(socket, {
      client,
      blocks,
      slots,
      arriving,
      holding,
      clock: realClock,
      onServed,
      onFault: (error) => refuse(error.message),
    });
  };
}

function handlers(
  { blocks, volumes, pin, restore, log }: PeerServerOptions,
  served: { bytes: number },
): Handlers<typeof PeersService> {
  const compressing = new Line(MAX_VOLUME_CALLS, VOLUME_WAIT_MAX_MS);

  async function* metadata(index: VolumeIndex, { signal }: CallContext) {
    const leave = await compressing.enter(signal);
    try {
      for await (const piece of compressedMetadata(blocks, index)) {
        served.bytes += piece.length;
        yield piece;
      }
    } finally {
      leave();
    }
  }

  return {
    ping: async () => new peer.PingReply(),

    pin: async (request) => pinReply(await pin(pinRequestFrom(request))),

    async *restore(request, { signal, commonName }) {
      const order = orderFrom(request);
      log.info({ ...order, peer: commonName }, 'a neighbour wants a container here');
      for await (const progress of restore?.(order, signal) ?? []) yield progressMessage(progress);
    },

    async *getVolume(request, context) {
      const [root] = idsFrom(request.getRoot_asU8(), 1);
      const { index, encoded } = await readIndex(volumes, root!);
      for (const piece of pieces(encoded)) {
        served.bytes += piece.length;
        yield volumeReply((reply) => reply.setIndex(piece));
      }
      if (request.getIndexOnly()) return;
      for await (const piece of metadata(index, context))
        yield volumeReply((reply) => reply.setMetadataZstd(piece));
    },
  };
}

function volumeReply(fill: (reply: peer.GetVolumeReply) => void): peer.GetVolumeReply {
  const reply = new peer.GetVolumeReply();
  fill(reply);
  return reply;
}
