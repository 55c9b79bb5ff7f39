/** Builds the client side of the peer layer: links to the members, and what is asked and fetched over them. */
import type { BlockId, BlockStore, Root, VolumeIndex, VolumeStore } from '../blocks/types.ts';
import type { Clock } from './clock.ts';
import type { Directory } from './directory/directory.ts';
import { RECORDS_PER_TURN } from './directory/limits.ts';
import { nodeSigner } from './directory/sign.ts';
import type { TrustPolicy } from './directory/trust.ts';
import type { Arriving } from './exchange/block-server.ts';
import { clientTls } from './exchange/tls.ts';
import { Holders } from './holders.ts';
import type { Identity } from './identity/identity.ts';
import type { IsRevoked } from './identity/keys.ts';
import { Links, type Reachable } from './links.ts';
import { Lookup } from './lookup.ts';
import type { Discovery } from './membership/types.ts';
import type { PinAnswer, PinRequest } from './placement/messages.ts';
import { Spread } from './spread.ts';
import { Task } from './task.ts';
import type { Placed } from './task-placing.ts';
import { inTurns } from './turns.ts';
import type { Log, Neighbours, Peer, RestoreOrder, RestoreProgress } from './types.ts';
import { VolumeFetch } from './volume-fetch.ts';

const PIN_TIMEOUT_MS = 10_000;

export interface NeighboursOptions {
  identity: Identity;
  isRevoked: IsRevoked;
  directory: Directory;
  discovery: Pick<Discovery, 'publish' | 'subscribe'>;
  trust: TrustPolicy;
  blocks: BlockStore;
  volumes: VolumeStore;
  /** Who owns which block, as this node sees the members now. */
  placement?: Placed;
  /** How long `want` waits for a block that nobody has. */
  waitMs: number;
  clock: Clock;
  log: Log;
}

export interface RunningNeighbours extends Neighbours {
  /** The members have changed. */
  follow(members: readonly Reachable[]): void;
  peers(): readonly Peer[];
  /** The index alone, published: what placement needs of a volume. */
  fetchIndex(root: Root): Promise<VolumeIndex>;
  /** Brings a block behind everything else; rejects as soon as nobody who answers has it. */
  repair(id: BlockId, root: Root, signal: AbortSignal): Promise<void>;
  /** Tells once when a block that is under way to this node is here; undefined when it is not under way. */
  arriving: Arriving;
  /** Asks a member whether it keeps blocks. Rejects when it cannot be asked. */
  pin(name: string, request: PinRequest): Promise<PinAnswer[]>;
  /** Has a member make a container of a checkpoint. Rejects when it cannot be asked. */
  restore(name: string, order: RestoreOrder, signal: AbortSignal): AsyncIterable<RestoreProgress>;
  /** Bytes of blocks, indexes and metadata received so far. */
  fetchedBytes(): number;
  /** Ends all connections; what is waited for is rejected. */
  close(): void;
}

export function createNeighbours(options: NeighboursOptions): RunningNeighbours {
  const { identity, isRevoked, directory, discovery, trust, blocks, volumes, clock, log } = options;
  const links = new Links({ tls: clientTls(identity, isRevoked), clock, log, onChange: linksChanged });
  const holders = new Holders();
  const lookup = new Lookup({ links: links.all, directory, trust, log });
  const volumeFetch = new VolumeFetch({
    links: links.all,
    holders,
    blocks,
    volumes,
    want: (id, root, signal) => task.wantNow(id, 'demand', signal, root),
    log,
  });
  const task = new Task({ ...options, links: links.all, holders });
  const { key } = nodeSigner(identity);
  const spread = new Spread({ directory, discovery, links: links.all, key, clock, log });
  let isClosed = false;
  /** Until it is through, some holders are not known as such, which costs a round trip. */
  const learnAll = async () => {
    for await (const held of inTurns(directory.counting(), RECORDS_PER_TURN)) {
      if (isClosed) return;
      holders.heard(held);
    }
  };
  learnAll().catch((err: unknown) => log.error({ err }, 'the directory could not be read for holders'));
  const stopLearning = directory.onAdd((held) => {
    holders.heard(held);
    if (held.kind === 'layer') lookup.changed();
  });

  function linksChanged(): void {
    lookup.changed();
    task.membershipChanged();
    spread.linksChanged();
  }

  return {
    follow: (members) => links.follow(members),
    peers: () => links.all.map(peerOf),
    findLayer: (chainId, timeoutMs) => lookup.find(chainId, timeoutMs),
    fetchVolume: (root) => volumeFetch.fetch(root),
    fetchIndex: (root) => volumeFetch.fetchIndex(root),
    want: (id, priority, signal, root) => task.want(id, priority, signal, root),
    repair: (id, root, signal) => task.wantNow(id, 'repair', signal, root),
    arriving: (id, then) => task.arriving(id, then),
    async pin(name, request) {
      const client = links.of(name)?.client;
      if (!client) throw new Error(`${name} cannot be reached`);
      return client.pin(request, PIN_TIMEOUT_MS);
    },
    async *restore(name, order, signal) {
      const client = links.of(name)?.client;
      if (!client) throw new Error(`${name} cannot be reached`);
      yield* client.restore(order, signal);
    },
    fetchedBytes: () => task.fetchedBytes + volumeFetch.fetchedBytes,
    close() {
      isClosed = true;
      stopLearning();
      spread.stop();
      links.stop();
      task.stop(new Error('the node is stopping'));
    },
  };
}

function peerOf({ address, name, state, meter }: Links['all'][number]): Peer {
  return {
    address,
    name,
    state: state.kind,
    rttMs: meter.rttMs,
    bytesPerSecond: meter.bytesPerSecond,
  };
}
