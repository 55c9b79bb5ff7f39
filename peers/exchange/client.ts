/**
 * The connections to one neighbour: its methods with our types, its answers checked. Bytes of blocks are checked by whoever
 * stores them. Errors are grpc-js's ServiceError, or WireError for an answer that breaks the protocol; `failureOf` tells
 * what they mean.
 */
import { Client, type ServiceError, status } from '@grpc/grpc-js';
import type { BlockId, Root } from '../../blocks/types.ts';
import { call, callStream } from '../../proto/call.ts';
import { PeersService, peer } from '../../proto/peer.ts';
import { remoteDirectory } from '../directory/service.ts';
import type { DirectoryPeer } from '../directory/types.ts';
import type { PinAnswer, PinRequest } from '../placement/messages.ts';
import type { RestoreOrder, RestoreProgress } from '../types.ts';
import { type AskOptions, BlockChannel, type Receive } from './block-channel.ts';
import { blockDialer } from './block-dial.ts';
import { FLOW_CONTROL_WINDOW_BYTES, MAX_REPLY_BYTES } from './limits.ts';
import { orderMessage, progressFrom } from './restore-wire.ts';
import { type ClientTls, TLS_CHANNEL_OPTIONS } from './tls.ts';
import { idBytes, pinAnswersFrom, pinRequestMessage, type WireError } from './wire.ts';

const CHANNEL_OPTIONS = {
  ...TLS_CHANNEL_OPTIONS,
  'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
  'grpc.max_receive_message_length': MAX_REPLY_BYTES,
  'grpc.use_local_subchannel_pool': 1,
  'grpc.initial_reconnect_backoff_ms': 100,
  'grpc.max_reconnect_backoff_ms': 1000,
  'grpc.service_config_disable_resolution': 1,
  'grpc.enable_http_proxy': 0,
  'grpc.enable_retries': 0,
  'grpc.enable_channelz': 0,
};

export class PeerClient {
  readonly #client: Client;
  /** A connection of its own for what a container waits on: it never stands behind bulk. */
  readonly #urgent: BlockChannel;
  readonly #bulk: BlockChannel;

  /** `onFault`: see BlockChannel. */
  constructor(address: string, tls: ClientTls, onFault: (error: WireError) => void = () => {}) {
    this.#client = new Client(address, tls.credentials, CHANNEL_OPTIONS);
    const dial = blockDialer(address, tls);
    this.#urgent = new BlockChannel(dial, onFault);
    this.#bulk = new BlockChannel(dial, onFault);
  }

  /** The cheapest question there is. Proves that the neighbour is alive and takes us for a node. */
  async ping(timeoutMs: number): Promise<void> {
    await call(this.#client, PeersService.ping, new peer.PingRequest(), { timeoutMs });
  }

  directory(timeoutMs: number, signal?: AbortSignal): DirectoryPeer {
    return remoteDirectory(this.#client, timeoutMs, signal);
  }

  async pin(request: PinRequest, timeoutMs: number): Promise<PinAnswer[]> {
    const reply = await call(this.#client, PeersService.pin, pinRequestMessage(request), { timeoutMs });
    return pinAnswersFrom(reply);
  }

  /** See `RestoreHere`, there. */
  async *restore(order: RestoreOrder, signal: AbortSignal): AsyncGenerator<RestoreProgress> {
    for await (const said of callStream(this.#client, PeersService.restore, orderMessage(order), { signal }))
      yield progressFrom(said);
  }

  /** The answer's pieces, unchecked; `receiving.ts` makes a volume of them. Leaving the loop ends the call. */
  volume(root: Root, indexOnly: boolean, signal: AbortSignal): AsyncIterable<peer.GetVolumeReply> {
    const request = new peer.GetVolumeRequest().setRoot(idBytes([root])).setIndexOnly(indexOnly);
    return callStream(this.#client, PeersService.getVolume, request, { signal });
  }

  /** Resolves when every id has been answered and received; rejects when the call fails before that. */
  blocks(
    ids: readonly BlockId[],
    receive: Receive,
    signal: AbortSignal,
    urgent: boolean,
    options?: AskOptions,
  ): Promise<void> {
    return (urgent ? this.#urgent : this.#bulk).ask(ids, receive, signal, options);
  }

  close(): void {
    this.#urgent.close();
    this.#bulk.close();
    this.#client.close();
  }
}

/**
 * What a failure says of the neighbour: it is `gone` (no connection), `busy`, does not have it (`absent`), was asked to stop
 * (`cancelled`), or is `faulty` (breaks the protocol, or failed inside). `ours` is a failed system call of our own: no
 * space on the disk, say.
 */
export type Failure = 'gone' | 'busy' | 'absent' | 'cancelled' | 'faulty' | 'ours';

const FAILURES = new Map<unknown, Failure>([
  [status.UNAVAILABLE, 'gone'],
  [status.DEADLINE_EXCEEDED, 'gone'],
  [status.RESOURCE_EXHAUSTED, 'busy'],
  [status.NOT_FOUND, 'absent'],
  [status.CANCELLED, 'cancelled'],
]);

export function failureOf(error: unknown): Failure {
  const { code, syscall } = error as Partial<ServiceError> & { syscall?: string };
  return syscall === undefined ? (FAILURES.get(code) ?? 'faulty') : 'ours';
}
