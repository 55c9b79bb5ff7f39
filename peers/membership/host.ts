/**
 * The libp2p node: TCP, mutual TLS with the node's certificate, yamux, identify (gossipsub learns by it who speaks it) and
 * gossipsub; multicast DNS where it is wanted. Nothing more, since a node's memory is small. It knows peer ids and bytes only:
 * who is a member is decided above it.
 */
import { type GossipSub, gossipsub, type Message } from '@libp2p/gossipsub';
import { type Identify, identify } from '@libp2p/identify';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { mdns } from '@libp2p/mdns';
import { tcp } from '@libp2p/tcp';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import type { Clock } from '../clock.ts';
import { splitListen } from '../exchange/tls.ts';
import type { Identity } from '../identity/identity.ts';
import type { Refusals } from '../refusals.ts';
import type { Log } from '../types.ts';
import { addressOf, isWildcard, multiaddrOf } from './addresses.ts';
import { type Certificates, ownKey } from './certificates.ts';
import { nodeEncrypter } from './encrypter.ts';
import {
  CONNECT_TIMEOUT_MS,
  CROWDED_CONNECTIONS,
  MAX_CONNECTIONS,
  MAX_CONNECTIONS_A_SECOND_PER_HOST,
  MAX_DIALS_AT_ONCE,
  MAX_GOSSIP_BACKLOG_BYTES,
  MAX_GOSSIP_FRAME_BYTES,
  MAX_PENDING_CONNECTIONS,
  MAX_STREAMS_PER_CONNECTION,
  SETTLED_AFTER_MS,
} from './limits.ts';

/** Of forage only: other programs speak libp2p too. */
const MDNS_SERVICE = '_forage._udp.local';
const PING_EVERY_MS = 15_000;
/** Topics that one neighbour may subscribe to are remembered up to this (some 1 KiB each). */
const MAX_TOPIC_BYTES_PER_PEER = 64 * 1024;
/** Broken promises within seconds that are forgiven: a slow link is not an attack, and all neighbours are nodes. */
const FORGIVEN_MISTAKES = 20;

export interface HostOptions {
  identity: Identity;
  certificates: Certificates;
  refused: Refusals;
  /** `host:port` to listen on; port 0 takes a free one. */
  listen: string;
  /** `host:port` at which others reach it; needed where `listen` means all addresses of the machine. */
  address?: string | undefined;
  /** Looks for neighbours on the local network; they find this node if `address` is a private IP address, not a name. */
  mdns: boolean;
  clock: Clock;
  log: Log;
}

type Services = { gossip: GossipSub; identify: Identify };

export class Host {
  /** `host:port` at which others reach it. */
  readonly address: string;
  readonly gossip: GossipSub;
  readonly #libp2p: Libp2p<Services>;
  readonly #options: HostOptions;
  readonly #connected = new Set<string>();

  private constructor(libp2p: Libp2p<Services>, options: HostOptions) {
    this.#libp2p = libp2p;
    this.#options = options;
    this.gossip = libp2p.services.gossip;
    this.address = options.address ?? listeningOn(libp2p, options.listen);
    libp2p.addEventListener('peer:connect', ({ detail }) => this.#connected.add(detail.toString()));
    libp2p.addEventListener('peer:disconnect', ({ detail }) => this.#connected.delete(detail.toString()));
  }

  /** Listens, and dials nobody by itself. */
  static async start(options: HostOptions): Promise<Host> {
    if (options.address === undefined && isWildcard(splitListen(options.listen).host)) {
      throw new TypeError(`${options.listen}: needs an address beside it at which others reach this node`);
    }
    return new Host(await makeLibp2p(options), options);
  }

  get peerId(): string {
    return this.#libp2p.peerId.toString();
  }

  isConnected(peerId: string): boolean {
    return this.#connected.has(peerId);
  }

  connections(): Connection[] {
    return this.#libp2p.getConnections();
  }

  /** Answers the peer id. With `peerId`, refuses whoever else is there. */
  async dial(address: string, peerId?: string): Promise<string> {
    const signal = AbortSignal.timeout(CONNECT_TIMEOUT_MS);
    const connection = await this.#libp2p.dial(multiaddrOf(address, peerId), { signal });
    return connection.remotePeer.toString();
  }

  async handle(protocol: string, handler: (stream: Stream, peerId: string) => void): Promise<void> {
    const bounds = { maxInboundStreams: 2, maxOutboundStreams: 2 };
    await this.#libp2p.handle(
      protocol,
      (stream, { remotePeer }) => handler(stream, remotePeer.toString()),
      bounds,
    );
  }

  onConnection(listener: (connection: Connection) => void): void {
    this.#libp2p.addEventListener('connection:open', ({ detail }) => listener(detail));
  }

  /** Told of what multicast DNS says: anybody can say it. */
  onFound(listener: (peerId: string, address: string) => void): void {
    if (!this.#options.mdns) return;
    this.#libp2p.addEventListener('peer:discovery', ({ detail: { id, multiaddrs } }) => {
      const address = multiaddrs.map(addressOf).find((known) => known !== undefined);
      if (address) listener(id.toString(), address);
    });
  }

  /** Ends connections that may not be, and one that need not be. */
  tidy(): void {
    const { certificates, refused, clock } = this.#options;
    const connections = this.connections();
    for (const connection of connections) {
      const peerId = connection.remotePeer.toString();
      if (certificates.nodeOf(peerId)) continue;
      refused(certificates.shownBy(peerId)?.name ?? peerId, 'its certificate is no longer good');
      connection.abort(new Error('refused'));
    }
    if (connections.length <= CROWDED_CONNECTIONS) return;
    const settled = connections.filter(({ timeline }) => Date.now() - timeline.open > SETTLED_AFTER_MS);
    const one = settled[Math.floor(clock.random() * settled.length)];
    one?.abort(new Error('too many connections'));
  }

  async stop(): Promise<void> {
    await this.#libp2p.stop();
  }
}

function makeLibp2p(options: HostOptions): Promise<Libp2p<Services>> {
  const { identity, certificates, refused, listen, address, clock } = options;
  return createLibp2p<Services>({
    privateKey: ownKey(identity).libp2p,
    addresses: {
      listen: [multiaddrOf(listen).toString()],
      announce: address ? [multiaddrOf(address).toString()] : [],
    },
    transports: [tcp()],
    connectionEncrypters: [() => nodeEncrypter({ identity, certificates, refused, clock })],
    streamMuxers: [
      yamux({
        maxInboundStreams: MAX_STREAMS_PER_CONNECTION,
        maxOutboundStreams: MAX_STREAMS_PER_CONNECTION,
        streamOptions: { maxStreamWindowSize: 1 << 20, maxWriteBufferLength: MAX_GOSSIP_BACKLOG_BYTES },
      }),
    ],
    connectionManager: {
      maxConnections: MAX_CONNECTIONS,
      maxParallelDials: MAX_DIALS_AT_ONCE,
      dialTimeout: CONNECT_TIMEOUT_MS,
      inboundUpgradeTimeout: CONNECT_TIMEOUT_MS,
      inboundConnectionThreshold: MAX_CONNECTIONS_A_SECOND_PER_HOST,
      maxIncomingPendingConnections: MAX_PENDING_CONNECTIONS,
    },
    connectionMonitor: { pingInterval: PING_EVERY_MS },
    peerDiscovery: options.mdns ? [mdns({ serviceTag: MDNS_SERVICE })] : [],
    services: { identify: identify(), gossip: gossipsub(GOSSIP) },
  });
}

const GOSSIP: Parameters<typeof gossipsub>[0] = {
  globalSignaturePolicy: 'StrictSign',
  emitSelf: false,
  fallbackToFloodsub: false,
  // To the mesh only: a thin link carries each message six times, not sixty.
  floodPublish: false,
  allowPublishToZeroTopicPeers: true,
  maxInboundStreams: 2,
  maxOutboundStreams: 2,
  maxInboundDataLength: MAX_GOSSIP_FRAME_BYTES,
  maxOutboundBufferSize: MAX_GOSSIP_BACKLOG_BYTES,
  maxTopicBytesPerPeer: MAX_TOPIC_BYTES_PER_PEER,
  decodeRpcLimits: {
    maxSubscriptions: 128,
    maxMessages: 1024,
    maxIhaveMessageIDs: 2048,
    maxIwantMessageIDs: 2048,
    maxIdontwantMessageIDs: 512,
    maxControlMessages: 128,
    maxPeerInfos: 0,
  },
  // Many nodes may be behind one address, and a slow one is not to be shunned.
  scoreParams: { IPColocationFactorWeight: 0, behaviourPenaltyThreshold: FORGIVEN_MISTAKES },
};

function listeningOn(libp2p: Libp2p<Services>, listen: string): string {
  const { host, port } = splitListen(listen);
  const bound = libp2p.getMultiaddrs().map(addressOf);
  const actual = port || Number(bound[0]?.split(':').at(-1));
  return host.includes(':') ? `[${host}]:${actual}` : `${host}:${actual}`;
}

/** Who signed a gossip message; gossipsub has checked the signature. */
export function signerOf(message: Message): string {
  if (message.type !== 'signed') throw new TypeError('an unsigned message');
  return message.from.toString();
}
