/**
 * Membership on libp2p. A node announces itself by gossip; nodes that connect exchange all announcements; the roster says who is
 * there; the dialer keeps connections, to the configured addresses and to the members, over which the gossip goes.
 */
import type { Connection, Stream } from '@libp2p/interface';
import type { Clock } from '../clock.ts';
import { WireError } from '../exchange/wire.ts';
import type { Identity } from '../identity/identity.ts';
import type { IsRevoked } from '../identity/keys.ts';
import { type Refusals, refusals } from '../refusals.ts';
import type { Log } from '../types.ts';
import { type Announcement, isAddress, seal } from './announcement.ts';
import { Announcements } from './announcements.ts';
import { Certificates, type OwnKey, ownKey, RefusedError } from './certificates.ts';
import { Dialer } from './dialer.ts';
import { EXCHANGE_PROTOCOL, exchange } from './exchange.ts';
import { Gossip, type Verdict } from './gossip.ts';
import { Host } from './host.ts';
import {
  EXCHANGE_TIMEOUT_MS,
  LEAVE_TIMEOUT_MS,
  MAX_CERTIFICATE_BYTES,
  WANTED_CONNECTIONS,
} from './limits.ts';
import { Presence } from './presence.ts';
import type { Heard } from './roster.ts';
import { Targets } from './targets.ts';
import type { Discovery, Member } from './types.ts';

export interface MembershipOptions {
  identity: Identity;
  /** `host:port` for libp2p to listen on; port 0 takes a free one. */
  listen: string;
  /** `host:port` at which others reach it; needed where `listen` means all addresses of the machine. */
  address?: string;
  /** `host:port` at which others reach this node's peer service. */
  service: string;
  /** What this node has room for; 0: it is to own nothing. */
  capacityBytes: number;
  /** The silence after which a member is gone; the same on all nodes. Default: GONE_AFTER_MS. */
  goneAfterMs?: number;
  /** `host:port` of the libp2p of some nodes; this node's own may be among them. */
  bootstrap: readonly string[];
  /** Looks for neighbours on the local network; they find this node if `address` is a private IP address, not a name. */
  mdns: boolean;
  isRevoked: IsRevoked;
  clock: Clock;
  log: Log;
}

export interface Membership extends Discovery {
  /** `host:port` at which others reach this node's libp2p. */
  readonly address: string;
  /** Somebody was revoked: who is a node no more is a member no more, and its connections end. */
  recheck(): void;
}

/** Rejects when it cannot listen, and with TypeError for options that cannot be. */
export async function startMembership(options: MembershipOptions): Promise<Membership> {
  const { identity, isRevoked, clock, log } = options;
  const key = checked(options);
  const certificates = new Certificates({ identity, isRevoked, clock });
  const refused = refusals(log, clock);
  const host = await Host.start({ ...options, certificates, refused });
  const membership = new Libp2pMembership({ ...options, host, certificates, refused, key });
  await membership.start();
  return membership;
}

function checked({ identity, service, address, bootstrap, capacityBytes }: MembershipOptions): OwnKey {
  const addresses = address === undefined ? [service, ...bootstrap] : [service, address, ...bootstrap];
  for (const text of addresses) if (!isAddress(text)) throw new TypeError(`not host:port: ${text}`);
  if (!Number.isSafeInteger(capacityBytes) || capacityBytes < 0)
    throw new TypeError(`capacity: ${capacityBytes}`);
  const key = ownKey(identity);
  if (key.certificate.length <= MAX_CERTIFICATE_BYTES) return key;
  throw new TypeError(`the certificate of ${identity.name} is longer than ${MAX_CERTIFICATE_BYTES} bytes`);
}

interface Parts extends MembershipOptions {
  host: Host;
  certificates: Certificates;
  refused: Refusals;
  key: OwnKey;
}

class Libp2pMembership implements Membership {
  readonly #parts: Parts;
  readonly #presence: Presence;
  readonly #gossip: Gossip;
  readonly #dialer: Dialer;
  readonly #listeners = new Set<() => void>();
  readonly #announcements: Announcements;
  readonly #targets: Targets;
  readonly #stopping = new AbortController();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { host, certificates, identity, service, capacityBytes, goneAfterMs, clock, log } = parts;
    this.#presence = new Presence({
      self: { name: identity.name, service, address: host.address, capacityBytes },
      seal: (announcement) => this.#seal(announcement),
      send: ({ bytes }) =>
        void this.#gossip.announce(bytes).catch((err) => log.debug({ err }, 'not announced')),
      onChange: () => {
        for (const listener of [...this.#listeners]) listener();
      },
      goneAfterMs,
      clock,
      log,
    });
    this.#announcements = new Announcements(certificates, this.#presence);
    this.#gossip = new Gossip({
      gossip: host.gossip,
      certificates,
      onAnnouncement: (bytes, signer) => this.#judge(bytes, signer),
      onAudience: () => this.#presence.announceSoon(),
    });
    this.#targets = new Targets({
      self: { name: identity.name, address: host.address },
      bootstrap: parts.bootstrap,
      members: () => this.members(),
      isConnected: (peerId) => host.isConnected(peerId),
      clock,
    });
    this.#dialer = new Dialer({
      targets: (answered) => {
        host.tidy();
        return this.#targets.list(answered);
      },
      isConnected: (peerId) => host.isConnected(peerId),
      room: () => WANTED_CONNECTIONS - host.connections().length,
      dial: ({ address, peerId }) => host.dial(address, peerId),
      clock,
    });
  }

  async start(): Promise<void> {
    const { host } = this.#parts;
    host.onConnection((connection) => void this.#met(connection));
    host.onFound((peerId, address) => this.#targets.found(peerId, address));
    await host.handle(EXCHANGE_PROTOCOL, (stream, peerId) => void this.#exchange(stream, peerId));
  }

  get address(): string {
    return this.#parts.host.address;
  }

  members(): readonly Member[] {
    return this.#presence.members();
  }

  onChange(listener: () => void): () => void {
    const own = () => listener();
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  publish(topic: string, bytes: Uint8Array): Promise<void> {
    return this.#gossip.publish(topic, bytes);
  }

  subscribe(topic: string, listener: (bytes: Uint8Array, fromName: string) => void): () => void {
    return this.#gossip.subscribe(topic, listener);
  }

  setCapacity(capacityBytes: number): void {
    this.#presence.setCapacity(capacityBytes);
  }

  recheck(): void {
    const { certificates, host } = this.#parts;
    const isOut = (peerId: string) => certificates.shownBy(peerId) && !certificates.nodeOf(peerId);
    this.#presence.forget(this.members().flatMap(({ name, peerId }) => (isOut(peerId) ? [name] : [])));
    for (const connection of host.connections()) {
      if (isOut(connection.remotePeer.toString())) connection.abort(new Error('revoked'));
    }
  }

  /** By gossip to all, and to each neighbour by an exchange, which can be waited for. */
  async leave(): Promise<void> {
    this.#dialer.stop();
    this.#presence.leave();
    const until = AbortSignal.timeout(LEAVE_TIMEOUT_MS);
    await Promise.all(this.#parts.host.connections().map((connection) => this.#met(connection, until)));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#dialer.stop();
    this.#presence.stop();
    await this.#parts.host.stop();
  }

  /** An announcement that came by gossip. */
  #judge(bytes: Buffer, signer: string): Verdict {
    try {
      return this.#announcements.judge(bytes, signer) ? 'pass' : 'old';
    } catch (error) {
      if (!this.#refuse(signer, error)) throw error;
      return 'wrong';
    }
  }

  #seal(announcement: Announcement): Heard {
    const { identity, host, key } = this.#parts;
    const bytes = seal(announcement, key.certificate, key.signing);
    return { name: identity.name, peerId: host.peerId, announcement, bytes };
  }

  /** The one that has dialled asks; `leave` asks on all connections. */
  async #met(connection: Connection, until?: AbortSignal): Promise<void> {
    if (connection.direction !== 'outbound' && !until) return;
    try {
      const signal = until ?? AbortSignal.timeout(EXCHANGE_TIMEOUT_MS);
      const stream = await connection.newStream(EXCHANGE_PROTOCOL, { signal });
      await this.#exchange(stream, connection.remotePeer.toString());
    } catch (err) {
      this.#parts.log.debug({ err }, 'a neighbour could not be asked for the members');
    }
  }

  async #exchange(stream: Stream, peerId: string): Promise<void> {
    const { log } = this.#parts;
    const signal = AbortSignal.any([AbortSignal.timeout(EXCHANGE_TIMEOUT_MS), this.#stopping.signal]);
    const book = {
      digest: () => this.#presence.digest(),
      newerThan: (digest: Parameters<Presence['newerThan']>[0]) => this.#presence.newerThan(digest),
      take: (bytes: Buffer, agoMs: number) => this.#announcements.take(bytes, agoMs),
    };
    try {
      await exchange(stream, book, signal);
      await stream.close({ signal });
    } catch (error) {
      stream.abort(error as Error);
      if (!this.#refuse(peerId, error)) log.debug({ err: error }, 'an exchange of members broke off');
    }
  }

  /** Names who said what cannot be; answers whether it was that. */
  #refuse(peerId: string, error: unknown): boolean {
    if (!(error instanceof WireError || error instanceof RefusedError)) return false;
    const { certificates, refused } = this.#parts;
    refused(certificates.nodeOf(peerId)?.name ?? peerId, error.message);
    return true;
  }
}
