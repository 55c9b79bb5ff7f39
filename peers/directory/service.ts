/** The exchange over gRPC: handlers for a server, a `ReconcilePeer` for a client, and the conversions that both share. */
import type { Client } from '@grpc/grpc-js';
import { call } from '../../proto/call.ts';
import { DirectoryService, directory as pb } from '../../proto/directory.ts';
import type { Handlers } from '../../proto/serve.ts';
import { ID_BYTES, idBytes, idsFrom, WireError } from '../exchange/wire.ts';
import {
  BUCKETS,
  CHAIN_IDS_PER_REQUEST,
  IDS_PER_PAGE,
  LAYERS_PER_REPLY,
  RECORDS_PER_REQUEST,
} from './limits.ts';
import type { DirectoryPeer, RecordId, SignedRecord } from './types.ts';

/** `peer`: this node's side, of answering.ts. */
export function directoryHandlers(peer: DirectoryPeer): Handlers<typeof DirectoryService> {
  return {
    digest: async () => new pb.DigestReply().setDigests(await peer.digest()),
    async ids(request) {
      const buckets = request.getBuckets_asU8();
      if (buckets.length > BUCKETS) throw new WireError(`${buckets.length} buckets`);
      const { ids, more } = await peer.ids([...buckets], afterFrom(request.getAfter_asU8()));
      return new pb.IdsReply().setIds(idBytes(ids)).setMore(more);
    },
    async records(request) {
      const records = await peer.records(idsFrom(request.getIds_asU8(), RECORDS_PER_REQUEST));
      return recordsReply(records);
    },
    async layers(request) {
      const ids = idsFrom(request.getChainIds_asU8(), CHAIN_IDS_PER_REQUEST);
      return recordsReply(await peer.layers(ids.map((id) => `sha256:${id}`)));
    },
  };
}

/** Rejects with grpc-js's ServiceError, or WireError. */
export function remoteDirectory(client: Client, timeoutMs: number, signal?: AbortSignal): DirectoryPeer {
  const settings = signal ? { timeoutMs, signal } : { timeoutMs };
  return {
    async digest() {
      const reply = await call(client, DirectoryService.digest, new pb.DigestRequest(), settings);
      return reply.getDigests_asU8();
    },
    async ids(buckets, after) {
      const request = new pb.IdsRequest().setBuckets(Uint8Array.from(buckets));
      if (after !== undefined) request.setAfter(idBytes([after]));
      const reply = await call(client, DirectoryService.ids, request, settings);
      const ids = reply.getIds_asU8();
      return { ids: ids.length === 0 ? [] : idsFrom(ids, IDS_PER_PAGE), more: reply.getMore() };
    },
    async records(ids) {
      const request = new pb.RecordsRequest().setIds(idBytes(ids));
      const records = (await call(client, DirectoryService.records, request, settings)).getRecordsList();
      if (records.length > ids.length) throw new WireError(`${records.length} records for ${ids.length} ids`);
      return records.map(recordFrom);
    },
    async layers(chainIds) {
      const ids = chainIds.map((chainId) => chainId.replace(/^sha256:/, ''));
      const request = new pb.LayersRequest().setChainIds(idBytes(ids));
      const records = (await call(client, DirectoryService.layers, request, settings)).getRecordsList();
      if (records.length > LAYERS_PER_REPLY)
        throw new WireError(`${records.length} records of ${ids.length} layers`);
      return records.map(recordFrom);
    },
  };
}

/** For whatever else carries a record: gossip, say. */
export function encodeRecord(record: SignedRecord): Uint8Array {
  return recordMessage(record).serializeBinary();
}

/** Throws WireError. What is in the record is checked by `Directory.put`. */
export function decodeRecord(bytes: Uint8Array): SignedRecord {
  try {
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return recordFrom(pb.Record.deserializeBinary(plain));
  } catch (error) {
    throw new WireError(`a record that is none: ${(error as Error).message}`);
  }
}

function recordsReply(records: readonly SignedRecord[]): pb.RecordsReply {
  return new pb.RecordsReply().setRecordsList(records.map(recordMessage));
}

export function recordMessage({ body, certificate, signature }: SignedRecord): pb.Record {
  return new pb.Record().setBody(body).setCertificate(certificate).setSignature(signature);
}

/** Nothing in it has been checked. */
export function recordFrom(message: pb.Record): SignedRecord {
  return {
    body: message.getBody_asU8(),
    certificate: message.getCertificate_asU8(),
    signature: message.getSignature_asU8(),
  };
}

function afterFrom(bytes: Uint8Array): RecordId | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes.length !== ID_BYTES) throw new WireError(`an id of ${bytes.length} bytes`);
  return idsFrom(bytes, 1)[0];
}
