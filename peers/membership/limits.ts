/** Times and bounds of membership. A peer that goes beyond a bound is refused, never believed. */

/** A node announces itself this often in a small cluster ... */
export const ANNOUNCE_EVERY_MS = 5000;
/** ... and in a large one less often, so that all together never say more than 25 announcements a second. */
export const ANNOUNCE_EVERY_MS_PER_MEMBER = 40;
/** Announcements out of turn (the first neighbour, a contradiction) are this far apart at least. */
export const ANNOUNCE_APART_MS = 1000;
/** The longest and shortest interval that is believed. */
export const MAX_ANNOUNCE_EVERY_MS = 170_000;
export const MIN_ANNOUNCE_EVERY_MS = 1000;

/** A member is suspect after this many announcements missed. */
export const SUSPECT_AFTER_MISSED = 3;
/** A member is gone after this silence: a reboot, and a repair on the spot, move nothing. */
export const GONE_AFTER_MS = 10 * 60_000;
/** Who is gone or has left is remembered for so long, to know an old announcement when it is heard again. */
export const FORGET_AFTER_MS = 24 * 60 * 60_000;
/** How often states are looked at. */
export const SWEEP_EVERY_MS = 1000;

export const MAX_MEMBERS = 4096;
/** An Ed25519 certificate has some 500 bytes, and more where it names many addresses. */
export const MAX_CERTIFICATE_BYTES = 4096;
export const MAX_ADDRESS_BYTES = 255;
export const MAX_ANNOUNCEMENT_BYTES = MAX_CERTIFICATE_BYTES + 2 * MAX_ADDRESS_BYTES + 128;

/** One message of a topic, and how long a name a topic may have. */
export const MAX_MESSAGE_BYTES = 64 * 1024;
const TOPIC = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** For `publish` and `subscribe` of every implementation. Throws TypeError, RangeError. */
export function checkPublication(topic: string, bytes?: Uint8Array): void {
  if (!TOPIC.test(topic)) throw new TypeError(`no topic: ${JSON.stringify(topic)}`);
  if (bytes && bytes.length > MAX_MESSAGE_BYTES) {
    throw new RangeError(`a message of ${bytes.length} bytes, the most is ${MAX_MESSAGE_BYTES}`);
  }
}

/** Several gossip messages in one frame, as an answer to somebody who has missed them. */
export const MAX_GOSSIP_FRAME_BYTES = 2 * 1024 * 1024;
/** Gossip that waits for a neighbour that does not read. Beyond it, the stream to it ends. */
export const MAX_GOSSIP_BACKLOG_BYTES = 4 * 1024 * 1024;
/** What one connection may bring: a burst, then this rate, then it is read no faster. Gossip needs a hundredth of it. */
export const INBOUND_BURST_BYTES = 8 * 1024 * 1024;
export const INBOUND_BYTES_PER_SECOND = 1024 * 1024;

/** A node opens connections to members until it has this many: enough for a mesh over some hundred nodes. */
export const WANTED_CONNECTIONS = 24;
/** And takes no more than this many. */
export const MAX_CONNECTIONS = 128;
export const MAX_STREAMS_PER_CONNECTION = 64;
/** Connections that have not shown a certificate yet, and how many a second one host may open. */
export const MAX_PENDING_CONNECTIONS = 32;
export const MAX_CONNECTIONS_A_SECOND_PER_HOST = 32;
/** TCP, TLS and the choice of protocols, all together. */
export const CONNECT_TIMEOUT_MS = 5000;
/** One exchange of all announcements. */
export const EXCHANGE_TIMEOUT_MS = 10_000;
/** How long a good-bye is waited for. */
export const LEAVE_TIMEOUT_MS = 2000;

/** How often is looked whom to dial; how long is waited after the first failure, and at most. */
export const DIAL_EVERY_MS = 500;
export const REDIAL_FIRST_MS = 1000;
export const REDIAL_MAX_MS = 60_000;
export const MAX_DIALS_AT_ONCE = 8;
/** Of two members, the one whose name comes first dials; the other one too, when nothing has come of that. */
export const DIAL_SECOND_AFTER_MS = 3000;
/** Addresses that multicast DNS has told of: anybody on the network can tell. */
export const MAX_FOUND_PEERS = 64;
/** A node that everybody dials first, as a configured address is, sends some on when it has more connections than this ... */
export const CROWDED_CONNECTIONS = 64;
/** ... but not who has just come. */
export const SETTLED_AFTER_MS = 30_000;
