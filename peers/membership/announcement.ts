/**
 * What a node says of itself, signed with the key of its certificate, which travels with it: whoever passes it on can neither
 * change it nor make one up. All integers big-endian; each announcement has exactly one encoding:
 *
 *   version u8 = 1, flags u8 (1: leaving), incarnation u64, sequence u64, everyMs u32, capacityBytes u64,
 *   service and address (each: length u8, text), certificate (length u16, DER), signature (64 bytes, over CONTEXT and all before it)
 */
import { type KeyObject, sign, verify } from 'node:crypto';
import { splitAddress } from '../exchange/tls.ts';
import { WireError } from '../exchange/wire.ts';
import type { Certificates, NodeCertificate } from './certificates.ts';
import {
  MAX_ADDRESS_BYTES,
  MAX_ANNOUNCE_EVERY_MS,
  MAX_ANNOUNCEMENT_BYTES,
  MAX_CERTIFICATE_BYTES,
  MIN_ANNOUNCE_EVERY_MS,
} from './limits.ts';

const VERSION = 1;
const LEAVING = 1;
const SIGNATURE_BYTES = 64;
const FIXED_BYTES = 30;
/** No signature of this key for another purpose is one of an announcement. */
const CONTEXT = Buffer.from('forage announcement\n');

/** Which of two announcements of a node is the later one: a new life counts more than anything said in the one before. */
export interface Age {
  /** When the node started, in milliseconds since 1970, or more if it has been there under a higher one. */
  incarnation: number;
  /** Counts up within an incarnation. */
  sequence: number;
}

export interface Announcement extends Age {
  /** When the next one is due. */
  everyMs: number;
  capacityBytes: number;
  leaving: boolean;
  /** `host:port` of the peer service and of libp2p. */
  service: string;
  address: string;
}

/** An announcement whose certificate has been checked. Its signature has not: see `isSigned`. */
export interface Sealed {
  node: NodeCertificate;
  announcement: Announcement;
  /** As signed: this is what is passed on. */
  bytes: Buffer;
}

export function seal(announcement: Announcement, certificate: Buffer, key: KeyObject): Buffer {
  const { flags, texts } = { flags: announcement.leaving ? LEAVING : 0, texts: textsOf(announcement) };
  const fixed = Buffer.alloc(FIXED_BYTES);
  fixed[0] = VERSION;
  fixed[1] = flags;
  fixed.writeBigUInt64BE(BigInt(announcement.incarnation), 2);
  fixed.writeBigUInt64BE(BigInt(announcement.sequence), 10);
  fixed.writeUInt32BE(announcement.everyMs, 18);
  fixed.writeBigUInt64BE(BigInt(announcement.capacityBytes), 22);
  const certificateLength = Buffer.alloc(2);
  certificateLength.writeUInt16BE(certificate.length);
  const said = Buffer.concat([fixed, ...texts, certificateLength, certificate]);
  return Buffer.concat([said, sign(null, Buffer.concat([CONTEXT, said]), key)]);
}

function textsOf({ service, address }: Announcement): Buffer[] {
  return [service, address].map((text) => {
    const bytes = Buffer.from(text, 'latin1');
    return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  });
}

/** Everything but the signature is checked. Throws WireError, RefusedError (the certificate). */
export function open(bytes: Buffer, certificates: Certificates): Sealed {
  if (bytes.length > MAX_ANNOUNCEMENT_BYTES) throw new WireError(`an announcement of ${bytes.length} bytes`);
  if (bytes.length < FIXED_BYTES) throw new WireError('an announcement that is cut off');
  if (bytes[0] !== VERSION) throw new WireError(`an announcement of version ${bytes[0]}`);
  const flags = bytes[1]!;
  if (flags > LEAVING) throw new WireError(`an announcement with flags ${flags}`);
  const everyMs = bytes.readUInt32BE(18);
  if (everyMs < MIN_ANNOUNCE_EVERY_MS || everyMs > MAX_ANNOUNCE_EVERY_MS) {
    throw new WireError(`an announcement every ${everyMs} ms`);
  }
  const [service, afterService] = addressAt(bytes, FIXED_BYTES);
  const [address, afterAddress] = addressAt(bytes, afterService);
  const announcement = {
    incarnation: safeInteger(bytes, 2),
    sequence: safeInteger(bytes, 10),
    everyMs,
    capacityBytes: safeInteger(bytes, 22),
    leaving: flags === LEAVING,
    service,
    address,
  };
  return { node: certificates.check(certificateAt(bytes, afterAddress)), announcement, bytes };
}

/** Costs ten times what `open` does: for what is news. */
export function isSigned({ node, bytes }: Sealed): boolean {
  const said = bytes.subarray(0, -SIGNATURE_BYTES);
  return verify(
    null,
    Buffer.concat([CONTEXT, said]),
    node.publicKey,
    bytes.subarray(bytes.length - SIGNATURE_BYTES),
  );
}

export function safeInteger(bytes: Buffer, at: number): number {
  const value = bytes.readBigUInt64BE(at);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new WireError(`a number of ${value}`);
  return Number(value);
}

function addressAt(bytes: Buffer, at: number): [text: string, end: number] {
  const length = bytes[at] ?? 0;
  const end = at + 1 + length;
  if (end > bytes.length) throw new WireError('an announcement that is cut off');
  const text = bytes.toString('latin1', at + 1, end);
  if (!isAddress(text)) throw new WireError(`not host:port: ${JSON.stringify(text)}`);
  return [text, end];
}

/** Printable, `host:port`, and no longer than an announcement can say. */
export function isAddress(text: string): boolean {
  if (text.length > MAX_ADDRESS_BYTES || !/^[\x21-\x7e]+$/.test(text)) return false;
  try {
    splitAddress(text);
    return true;
  } catch {
    return false;
  }
}

function certificateAt(bytes: Buffer, at: number): Buffer {
  const length = at + 2 <= bytes.length ? bytes.readUInt16BE(at) : 0;
  if (length === 0 || length > MAX_CERTIFICATE_BYTES) throw new WireError(`a certificate of ${length} bytes`);
  const end = at + 2 + length;
  if (end + SIGNATURE_BYTES !== bytes.length) throw new WireError('an announcement of another length');
  return bytes.subarray(at + 2, end);
}
