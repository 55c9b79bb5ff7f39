/**
 * The peer service: what this node gives to its neighbours. Every block is checked against its hash when it is read to be
 * sent; one that fails is removed by the store and answered as absent.
 */
import { Server } from '@grpc/grpc-js';
import type { BlockStore, VolumeStore } from '../../blocks/types.ts';
import { PeersService, peer } from '../../proto/peer.ts';
import { type CallContext, type Handlers, implement } from '../../proto/serve.ts';
import type { Identity } from '../identity/identity.ts';
import type { Log, Offer } from '../types.ts';
import { errorToStatus } from './errors.ts';
import { nodesOnly } from './guard.ts';
import {
  MAX_CALLS,
  MAX_CALLS_PER_PEER,
  MAX_REPLY_BYTES,
  MAX_REQUEST_BYTES,
  MAX_VOLUME_CALLS,
} from './limits.ts';
import { batches, compressedMetadata, pieces, readBlocks, readIndex } from './sending.ts';
import { Slots } from './slots.ts';
import { serverCredentials } from './tls.ts';
import { chainIdsOf, idsFrom, idsOf, recordMessage } from './wire.ts';

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
  const server = new Server({
    interceptors: [nodesOnly(log)],
    'grpc.max_receive_message_length': MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': MAX_REPLY_BYTES,
    'grpc.max_concurrent_streams': 2 * MAX_CALLS_PER_PEER,
    'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.enable_channelz': 0,
  });
  server.addService(PeersService, implement(PeersService, handlers(options, served), errorToStatus(log)));
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(listen, serverCredentials(identity), (error, port) =>
    error ? reject(error) : resolve(port),
  );
  const port = await promise;
  log.info({ listen, port, node: identity.name }, 'serving neighbours');
  return { port, servedBytes: () => served.bytes, close: () => server.forceShutdown() };
}

function handlers(
  { blocks, volumes, offer }: PeerServerOptions,
  served: { bytes: number },
): Handlers<typeof PeersService> {
  const slots = new Slots(MAX_CALLS_PER_PEER, MAX_CALLS);
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

    async *blocks(request, context) {
      const ids = idsOf(request);
      for await (const batch of counted(slots, context, batches(readBlocks(blocks, ids)))) {
        const reply = new peer.BlocksReply();
        reply.setDataList(batch);
        yield reply;
      }
    },
  };
}

function volumeReply(fill: (reply: peer.GetVolumeReply) => void): peer.GetVolumeReply {
  const reply = new peer.GetVolumeReply();
  fill(reply);
  return reply;
}
