/** Builds the client side of the peer layer: links to the configured neighbours, and what fetches over them. */
import type { BlockStore, VolumeStore } from '../blocks/types.ts';
import { clientTls } from './exchange/tls.ts';
import { Holders } from './holders.ts';
import type { Identity } from './identity/identity.ts';
import type { Link } from './link.ts';
import { Lookup } from './lookup.ts';
import { StaticMembership } from './static.ts';
import { Task } from './task.ts';
import type { Log, Membership, Neighbours } from './types.ts';
import { VolumeFetch } from './volume-fetch.ts';

export interface NeighboursOptions {
  identity: Identity;
  /** `host:port` of each neighbour's peer service; this node's own may be among them. */
  peers: readonly string[];
  blocks: BlockStore;
  volumes: VolumeStore;
  /** How long `want` waits for a block that nobody has. */
  waitMs: number;
  log: Log;
}

export interface RunningNeighbours extends Neighbours {
  membership: Membership;
  /** Bytes of blocks, indexes and metadata received so far. */
  fetchedBytes(): number;
  /** Ends all connections; what is waited for is rejected. */
  close(): void;
}

export function createNeighbours(options: NeighboursOptions): RunningNeighbours {
  const { identity, peers, blocks, volumes, waitMs, log } = options;
  const tls = clientTls(identity);
  const membership = new StaticMembership({ addresses: peers, tls, self: identity.name, log });
  const { links } = membership;
  const holders = new Holders<Link>();
  const lookup = new Lookup(links, holders, log);
  const volumeFetch = new VolumeFetch({ links, holders, blocks, volumes, log });
  const task = new Task({ links, blocks, holders, waitMs, log });
  membership.onChange(() => {
    lookup.membershipChanged();
    task.membershipChanged();
  });
  membership.start();
  return {
    membership,
    findLayer: (chainId, timeoutMs) => lookup.find(chainId, timeoutMs),
    fetchVolume: (root) => volumeFetch.fetch(root),
    want: (id, priority, signal, root) => task.want(id, priority, signal, root),
    fetchedBytes: () => task.fetchedBytes + volumeFetch.fetchedBytes,
    close() {
      membership.stop();
      task.stop(new Error('the node is stopping'));
    },
  };
}
