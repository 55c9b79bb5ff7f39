/**
 * Which announcements a node has, so that another sends only what is newer. All integers big-endian, names ascending:
 *
 *   count u16, then `count` times: name (length u8, text), incarnation u64, sequence u64
 */
import { WireError } from '../exchange/wire.ts';
import { isNodeName } from '../identity/names.ts';
import { type Age, safeInteger } from './announcement.ts';
import { MAX_MEMBERS } from './limits.ts';

const COUNT_BYTES = 2;
const AGE_BYTES = 16;
const MAX_NAME_BYTES = 63;
/** This node is in it besides the members. */
const MAX_ENTRIES = MAX_MEMBERS + 1;
export const MAX_DIGEST_BYTES = COUNT_BYTES + MAX_ENTRIES * (1 + MAX_NAME_BYTES + AGE_BYTES);

export function encodeDigest(digest: ReadonlyMap<string, Age>): Buffer {
  const count = Buffer.alloc(COUNT_BYTES);
  count.writeUInt16BE(digest.size);
  const names = [...digest.keys()].sort();
  return Buffer.concat([count, ...names.map((name) => entryBytes(name, digest.get(name)!))]);
}

function entryBytes(name: string, { incarnation, sequence }: Age): Buffer {
  const bytes = Buffer.alloc(1 + name.length + AGE_BYTES);
  bytes[0] = name.length;
  bytes.write(name, 1, 'latin1');
  bytes.writeBigUInt64BE(BigInt(incarnation), 1 + name.length);
  bytes.writeBigUInt64BE(BigInt(sequence), 9 + name.length);
  return bytes;
}

/** Throws WireError for anything that `encodeDigest` does not make. */
export function decodeDigest(bytes: Buffer): Map<string, Age> {
  const digest = new Map<string, Age>();
  const count = bytes.length < COUNT_BYTES ? 0 : bytes.readUInt16BE(0);
  if (count > MAX_ENTRIES) throw new WireError(`a digest of ${count} names`);
  let at = COUNT_BYTES;
  let last = '';
  for (let i = 0; i < count; i++) {
    const end = at + 1 + (bytes[at] ?? 0);
    if (end + AGE_BYTES > bytes.length) throw new WireError('a digest that is cut off');
    const name = bytes.toString('latin1', at + 1, end);
    if (!isNodeName(name) || name <= last) throw new WireError('a digest whose names are not in order');
    digest.set(name, { incarnation: safeInteger(bytes, end), sequence: safeInteger(bytes, end + 8) });
    last = name;
    at = end + AGE_BYTES;
  }
  if (at !== bytes.length) throw new WireError('a digest of another length');
  return digest;
}
