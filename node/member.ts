/**
 * This node as a member of the cluster: directory, membership, neighbours, custody and the peer port, built together from an identity.
 * Order: the directory, whose revocations say who is let in; then who is there; then what is asked of them; the port last.
 */
import { hostname } from 'node:os';
import type { Logger } from 'pino';
import type { BlockId, BlockStore, ChainId, LayerRecord, VolumeStore } from '../blocks/types.ts';
import { realClock } from '../peers/clock.ts';
import { answering } from '../peers/directory/answering.ts';
import { Directory } from '../peers/directory/directory.ts';
import { nodeSigner } from '../peers/directory/sign.ts';
import type { TrustPolicy } from '../peers/directory/trust.ts';
import type { RecordStore } from '../peers/directory/types.ts';
import { Verifier } from '../peers/directory/verify.ts';
import { type PeerServer, startPeerServer } from '../peers/exchange/server.ts';
import { splitListen } from '../peers/exchange/tls.ts';
import type { Identity } from '../peers/identity/identity.ts';
import { isWildcard } from '../peers/membership/addresses.ts';
import { type Membership, startMembership } from '../peers/membership/membership.ts';
import { createNeighbours, type RunningNeighbours } from '../peers/neighbours.ts';
import type { Limits } from '../peers/placement/custody.ts';
import type { PinStore } from '../peers/placement/pin-store.ts';
import { shardOf } from '../peers/placement/shards.ts';
import type { Holdings } from '../peers/placement/types.ts';
import type { RestoreHere } from '../peers/types.ts';
import { type Custody, startCustody } from './custody.ts';
import type { Gate } from './gate.ts';
import type { LastMembers } from './last-members.ts';
import type { LayerRecords } from './records.ts';
import { type RefObjects, startRefObjects } from './ref-objects.ts';

export interface MemberOptions {
  /** `host:port` to listen on: the peer port, and libp2p. */
  listen: string;
  gossip: string;
  /** How others reach this node; '': by the machine's name. */
  host: string;
  bootstrap: readonly string[];
  mdns: boolean;
  goneAfterMs: number;
  replicas: number;
  trust: TrustPolicy;
  /** 0: it owns nothing. */
  capacityBytes: () => number;
  limits: () => Limits;
  /** How long a want waits for a block that nobody has. */
  waitMs: number;
  blocks: BlockStore;
  volumes: VolumeStore;
  records: LayerRecords;
  directoryStore: RecordStore;
  lastMembers: LastMembers;
  pins: PinStore;
  holdings: Holdings;
  /** See PeerServerOptions. */
  restore: RestoreHere;
  gate: Gate;
  log: Logger;
}

export interface ClusterMember {
  readonly name: string;
  /** `host:port` of its peer service, as others reach it. */
  readonly service: string;
  readonly directory: Directory;
  readonly membership: Membership;
  readonly neighbours: RunningNeighbours;
  readonly custody: Custody;
  readonly refObjects: RefObjects;
  servedBytes(): number;
  /** Tells all that this node has the layer as a volume. */
  announce(record: LayerRecord): Promise<void>;
  /** Takes back what this node has said of the layer. */
  retract(record: LayerRecord): Promise<void>;
  /** What this node has room for has changed. */
  capacityChanged(): void;
  /** The store has found the block corrupt. */
  lost(id: BlockId): void;
  stop(): void;
}

/** Rejects when it cannot listen; nothing is left then. */
export async function joinCluster(identity: Identity, options: MemberOptions): Promise<ClusterMember> {
  const { records, log } = options;
  const { name } = identity;
  const service = addressOf(options.host, options.listen);
  const stops: (() => unknown)[] = [];
  const stop = () => {
    for (const end of stops.splice(0).reverse()) end();
  };
  try {
    const directory = await Directory.open({
      store: options.directoryStore,
      verifier: new Verifier(identity.ca),
      signer: nodeSigner(identity),
      clock: realClock,
      log,
    });
    stops.push(() => directory.close());
    const isRevoked = ({ key }: { key: string }) => directory.isRevoked(key);
    const membership = await startMembership({
      ...options,
      identity,
      isRevoked,
      listen: options.gossip,
      bootstrap: [...new Set([...options.bootstrap, ...options.lastMembers.addresses()])],
      address: addressOf(options.host, options.gossip),
      service,
      capacityBytes: options.capacityBytes(),
      clock: realClock,
    });
    stops.push(() => membership.stop());
    let custody: Custody | undefined;
    const owners = (id: BlockId) => custody?.owners().of(shardOf(id)) ?? [];
    const neighbours = createNeighbours({
      ...options,
      placement: { self: name, owners },
      identity,
      isRevoked,
      directory,
      discovery: membership,
      clock: realClock,
    });
    stops.push(() => neighbours.close());
    neighbours.follow(membership.members());
    const self = { name, capacityBytes: options.capacityBytes() };
    const keeping = await startCustody({ ...options, self, discovery: membership, directory, neighbours });
    custody = keeping;
    stops.push(() => keeping.stop());
    const refObjects = startRefObjects({ directory, blocks: options.blocks, neighbours, log });
    stops.push(() => refObjects.stop());
    const server: PeerServer = await startPeerServer({
      ...options,
      identity,
      isRevoked,
      directory: answering(directory),
      arriving: neighbours.arriving,
      pin: (request) => keeping.custodian.answer(request),
    });
    stops.push(() => server.close());
    stops.push(
      membership.onChange(() => {
        const alive = membership.members().filter(({ state }) => state.kind === 'alive');
        options.lastMembers.keep(alive.map(({ address }) => address));
        neighbours.follow(membership.members());
        keeping.membersChanged();
      }),
      directory.onAdd(({ kind, content }) => {
        if (kind === 'revocation') {
          server.recheck();
          membership.recheck();
        }
        if (kind === 'removal') void stillUsed(content.chainIds);
      }),
    );
    const announce = async (record: LayerRecord) => void (await directory.publish('layer', record));
    /** A layer that containerd has on this node lives on, whoever removes it elsewhere. */
    const stillUsed = async (chainIds: readonly ChainId[]) => {
      for (const chainId of chainIds) {
        const record = records.get(chainId);
        if (record)
          await announce(record).catch((err) => log.error({ err, chainId }, 'a layer was not said to live'));
      }
    };
    for (const record of records.all()) await announce(record);
    return {
      name,
      service,
      directory,
      membership,
      neighbours,
      custody: keeping,
      refObjects,
      servedBytes: () => server.servedBytes(),
      announce,
      async retract({ chainId }) {
        const own = directory.layersByChainId(chainId).filter(({ node }) => node === name);
        const recordIds = own.map(({ id }) => id);
        if (recordIds.length > 0) await directory.publish('removal', { image: '', chainIds: [], recordIds });
      },
      capacityChanged() {
        self.capacityBytes = options.capacityBytes();
        membership.setCapacity(self.capacityBytes);
        keeping.membersChanged();
      },
      lost: (id) =>
        void keeping.custodian.lost(id).catch((err) => log.error({ err }, 'a pin was not taken back')),
      stop,
    };
  } catch (error) {
    stop();
    throw error;
  }
}

function addressOf(host: string, listen: string): string {
  const { host: bound, port } = splitListen(listen);
  const name = host || (isWildcard(bound) ? hostname() : bound);
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}
