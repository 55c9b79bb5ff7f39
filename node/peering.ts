/**
 * This node's place among its neighbours. It needs an identity; a node whose certificate is missing, or not valid yet
 * because its clock is wrong after a boot, works alone, tries again, and joins as soon as it can.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BlockStore, VolumeStore } from '../blocks/types.ts';
import { type PeerServer, startPeerServer } from '../peers/exchange/server.ts';
import { type IdentityFiles, loadIdentity } from '../peers/identity/identity.ts';
import { createNeighbours, type RunningNeighbours } from '../peers/neighbours.ts';
import type { Membership, Neighbours, Offer, TransferTotals } from '../peers/types.ts';

const RETRY_MS = 10_000;

export interface PeeringOptions {
  identity: IdentityFiles;
  listen: string;
  peers: readonly string[];
  blocks: BlockStore;
  volumes: VolumeStore;
  offer: Offer;
  waitMs: number;
  log: Logger;
}

export interface Peering extends Neighbours {
  /** The name in the certificate, once there is one. */
  name(): string | undefined;
  membership: Membership;
  transfers(): TransferTotals;
  stop(): void;
}

interface Joined {
  name: string;
  server: PeerServer;
  neighbours: RunningNeighbours;
}

export function startPeering(options: PeeringOptions): Peering {
  const stopping = new AbortController();
  let joined: Joined | undefined;
  const joining = join(options, stopping.signal).then((result) => {
    joined = result;
    return result.neighbours;
  });
  joining.catch(() => {}); // only a stop ends it; whoever waits is told by `want`

  return {
    name: () => joined?.name,
    membership: {
      peers: () => joined?.neighbours.membership.peers() ?? unknownPeers(options.peers),
      onChange(listener) {
        const ends: (() => void)[] = [];
        joining.then(({ membership }) => ends.push(membership.onChange(listener))).catch(() => {});
        return () => {
          for (const end of ends) end();
        };
      },
    },
    transfers: () => ({
      fetchedBytes: joined?.neighbours.fetchedBytes() ?? 0,
      servedBytes: joined?.server.servedBytes() ?? 0,
    }),
    findLayer: async (chainId, timeoutMs) => joined?.neighbours.findLayer(chainId, timeoutMs),
    async fetchVolume(root) {
      if (joined === undefined) throw new Error('this node has no valid certificate yet, so no neighbours');
      return joined.neighbours.fetchVolume(root);
    },
    async want(id, priority, signal, root) {
      const neighbours = joined?.neighbours ?? (await Promise.race([joining, bound(options.waitMs, signal)]));
      return neighbours.want(id, priority, signal, root);
    },
    stop() {
      stopping.abort(new Error('the node is stopping'));
      joined?.neighbours.close();
      joined?.server.close();
    },
  };
}

/** Tries until it has an identity and the port. */
async function join(options: PeeringOptions, signal: AbortSignal): Promise<Joined> {
  let lastProblem = '';
  for (;;) {
    try {
      return await joinOnce(options);
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== lastProblem) options.log.warn(`no neighbours: ${problem}`);
      lastProblem = problem;
    }
    await sleep(RETRY_MS, undefined, { signal, ref: false });
  }
}

async function joinOnce({ identity: files, ...options }: PeeringOptions): Promise<Joined> {
  const identity = await loadIdentity(files);
  const server = await startPeerServer({ identity, ...options });
  return { name: identity.name, server, neighbours: createNeighbours({ identity, ...options }) };
}

function unknownPeers(addresses: readonly string[]) {
  return addresses.map((address) => ({
    address,
    name: undefined,
    state: 'unknown' as const,
    rttMs: undefined,
    bytesPerSecond: undefined,
  }));
}

/** Rejects after the time, or on abort. */
async function bound(waitMs: number, signal: AbortSignal | undefined): Promise<never> {
  await sleep(waitMs, undefined, { signal, ref: false });
  throw new Error(`no neighbours within ${waitMs / 1000} s: this node has no valid certificate`);
}
