/**
 * The contract of membership: who is there, and what all are told. No coordinator; any part of a split cluster goes on, and the
 * parts become one again when they can. Implementations: `membership.ts` (libp2p), `memory-discovery.ts` (twin for tests and
 * simulators). Both pass `discovery.conformance.ts`.
 */

/** Times are of the clock that membership was given (`Clock.now`). */
export type MemberState =
  /** Heard of lately. */
  | { kind: 'alive' }
  /** Missed its last announcements: may be slow, cut off or dead. Do not count on it, move nothing yet. */
  | { kind: 'suspect'; sinceMs: number }
  /** Silent for so long that it is no reboot: what it kept must be kept by others. */
  | { kind: 'gone'; sinceMs: number }
  /** It said good-bye, which means that it will not be back soon. */
  | { kind: 'left'; sinceMs: number };

/** A node of the cluster other than this one. */
export interface Member {
  /** The common name of its certificate. */
  readonly name: string;
  /** libp2p's name of its key. */
  readonly peerId: string;
  /** `host:port` of its peer service. */
  readonly service: string;
  /** `host:port` of its libp2p. */
  readonly address: string;
  /** What it has room for: its weight in placement. */
  readonly capacityBytes: number;
  /** When it started, by its own clock; higher than in all its lives before. */
  readonly incarnation: number;
  readonly state: MemberState;
}

export interface Discovery {
  /** All members known, by name, without this node. The same array until something changes. */
  members(): readonly Member[];
  /** Called after a member came, changed its state or what it says of itself, or was forgotten; not for each sign of life. */
  onChange(listener: () => void): () => void;
  /**
   * To all that subscribe, not to this node itself. At most once and in no order: what must arrive is said again or asked for.
   * A member can repeat what another said a while ago, so what ages needs a number of its own. Resolves when it is on its way.
   * Throws TypeError or RangeError for a topic or a length that cannot be.
   */
  publish(topic: string, bytes: Uint8Array): Promise<void>;
  /** `fromName` is the node that published, proven by its signature, whoever passed it on. */
  subscribe(topic: string, listener: (bytes: Uint8Array, fromName: string) => void): () => void;
  /** What this node has room for from now on; 0: it is to own nothing. The others hear of it within seconds. */
  setCapacity(capacityBytes: number): void;
  /** Says good-bye: the others need not wait to see whether this node comes back. `stop` follows. */
  leave(): Promise<void>;
  /** Goes without a word: the others wait for this node to come back. */
  stop(): Promise<void>;
}
