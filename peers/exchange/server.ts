/**
 * The peer service: what this node gives to its neighbours. Every block is checked against its hash when it is read to be
 * sent; one that fails is removed by the store and answered as absent.
 */
import type { TLSSocket } from 'node:tls';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { BlockStore, VolumeStore } from '../../blocks/types.ts';
import { PeersService, peer } from '../../proto/peer.ts';
import { type CallContext, type Handlers, implement } from '../../proto/serve.ts';
import type { Identity } from '../identity/identity.ts';
import { nodeNameOf } from '../identity/names.ts';
import type { Log, Offer } from '../types.ts';
import { BlockConnection } from './block-server.ts';
import { errorToStatus } from './errors.ts';
import { BLOCKS_PROTOCOL } from './frames.ts';
import { nodesOnly } from './guard.ts';
import {
  MAX_BLOCK_CONNECTIONS,
  MAX_BLOCK_CONNECTIONS_PER_PEER,
  MAX_CALLS,
  MAX_CALLS_PER_PEER,
  MAX_REPLY_BYTES,
  MAX_REQUEST_BYTES,
  MAX_VOLUME_CALLS,
} from './limits.ts';
import { listenTls } from './listener.ts';
import { compressedMetadata, pieces, readIndex } from './sending.ts';
import { Slots } from './slots.ts';
import { chainIdsOf, idsFrom, recordMessage } from './wire.ts';

export interface PeerServerOptions {
  identity: Identity;
  /** `host:port`; port 0 takes a free one. */
  listen: string;
  blocks: BlockStore;
  volumes: VolumeStore;
  offer: Offer;
  log: Log;
}

export interface PeerServer {
  /** The port that it listens on. */
  port: number;
  /** Bytes of blocks, indexes and metadata given away so far. */
  servedBytes(): number;
  /** Ends all connections at once. */
  close(): void;
}

/** Dead clients are noticed by these, and free their slots. */
const KEEPALIVE_TIME_MS = 10_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** Rejects when the address cannot be listened on. */
export async function startPeerServer(options: PeerServerOptions): Promise<PeerServer> {
  const { identity, listen, log } = options;
  const served = { bytes: 0 };
  const calls = new Server({
    interceptors: [nodesOnly(log)],
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': MAX_REPLY_BYTES,
    'grpc.max_concurrent_streams': 2 * MAX_CALLS_PER_PEER,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
  });
  calls.addService(PeersService, implement(PeersService, handlers(options, served), errorToStatus(log)));
  const acceptBlocks = blockAcceptor(options, served);
  const listener = await listenTls(identity, listen, log, {
    h2: injector(calls),
    [BLOCKS_PROTOCOL]: acceptBlocks,
  });
  log.info({ listen, port: listener.port, node: identity.name }, 'serving neighbours');
  return {
    port: listener.port,
    servedBytes: () => served.bytes,
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

function blockAcceptor({ blocks, log }: PeerServerOptions, served: { bytes: number }) {
  const connections = new Slots(MAX_BLOCK_CONNECTIONS_PER_PEER, MAX_BLOCK_CONNECTIONS);
  const slots = new Slots(MAX_CALLS_PER_PEER, MAX_CALLS);
  const onServed = (bytes: number) => {
    served.bytes += bytes;
  };
  return (socket: TLSSocket) => {
    const client = nodeNameOf(socket.getPeerCertificate().subject);
    const refuse = (reason: string) => {
      log.warn({ peer: socket.remoteAddress, name: client, reason }, 'a connection for blocks was refused');
      socket.destroy();
    };
    if (client === undefined) return refuse('not a node');
    try {
      socket.once('close', connections.take(client));
    } catch (error) {
      return refuse((error as Error).message);
    }
    new BlockConnection(socket, {
      client,
      blocks,
      slots,
      onServed,
      onFault: (error) => refuse(error.message),
    });
  };
}

function handlers(
  { blocks, volumes, offer }: PeerServerOptions,
  served: { bytes: number },
): Handlers<typeof PeersService> {
  const volumeSlots = new Slots(MAX_VOLUME_CALLS, MAX_VOLUME_CALLS);

  async function* counted(of: Slots, { commonName }: CallContext, bytes: AsyncIterable<Uint8Array[]>) {
    const release = of.take(commonName ?? '');
    try {
      for await (const batch of bytes) {
        for (const part of batch) served.bytes += part.length;
        yield batch;
      }
    } finally {
      release();
    }
  }

  return {
    async findLayer(request) {
      const reply = new peer.FindLayerReply();
      for (const chainId of chainIdsOf(request)) {
        const record = offer.layer(chainId);
        if (record) reply.addLayers(recordMessage(record));
      }
      return reply;
    },

    async *getVolume(request, context) {
      const [root] = idsFrom(request.getRoot_asU8(), 1);
      const { index, encoded } = await readIndex(volumes, root!);
      for (const piece of pieces(encoded)) {
        served.bytes += piece.length;
        yield volumeReply((reply) => reply.setIndex(piece));
      }
      async function* metadata() {
        for await (const piece of compressedMetadata(blocks, index)) yield [piece];
      }
      for await (const [piece] of counted(volumeSlots, context, metadata())) {
        yield volumeReply((reply) => reply.setMetadataZstd(piece!));
      }
    },
  };
}

function volumeReply(fill: (reply: peer.GetVolumeReply) => void): peer.GetVolumeReply {
  const reply = new peer.GetVolumeReply();
  fill(reply);
  return reply;
}
