/**
 * Writes tar entries as mkfs.erofs reads them: a ustar header, and a pax header before it for what does not fit. Times
 * with a fraction get nine digits, because mkfs.erofs 1.8 takes the fraction for a count of nanoseconds.
 */
import { TAR_BLOCK_BYTES, type Time } from './tar-header.ts';

/** Two zero blocks. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK_BYTES);

/** Names, link names and names of xattrs in latin1. */
export interface TarRecord {
  type: '0' | '1' | '2' | '3' | '4' | '5' | '6';
  name: string;
  linkName?: string;
  mode?: number;
  uid?: number;
  gid?: number;
  sizeBytes?: number;
  modified?: Time;
  device?: { major: number; minor: number };
  xattrs?: ReadonlyMap<string, Buffer>;
}

const MAX_NAME_BYTES = 100;
const MAX_ID = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/** The headers of one entry. Its data follow, then `tarPadding`. */
export function tarHeader(record: TarRecord): Buffer {
  const pax = paxOf(record);
  if (pax.length === 0) return ustar(record);
  const before = ustar({ type: 'x' as TarRecord['type'], name: 'x', sizeBytes: pax.length });
  return Buffer.concat([before, pax, tarPadding(pax.length), ustar(record)]);
}

export function tarPadding(sizeBytes: number): Buffer {
  return TAR_END.subarray(0, (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES);
}

function paxOf({
  name,
  linkName = '',
  uid = 0,
  gid = 0,
  sizeBytes = 0,
  modified,
  xattrs,
}: TarRecord): Buffer {
  const parts: Buffer[] = [];
  const add = (key: string, value: string | Buffer) => parts.push(paxRecord(key, value));
  if (name.length > MAX_NAME_BYTES) add('path', name);
  if (linkName.length > MAX_NAME_BYTES) add('linkpath', linkName);
  if (uid > MAX_ID) add('uid', String(uid));
  if (gid > MAX_ID) add('gid', String(gid));
  if (sizeBytes > MAX_OCTAL_11) add('size', String(sizeBytes));
  if (modified && (modified.nanoseconds !== 0 || modified.seconds > MAX_OCTAL_11)) {
    add('mtime', `${modified.seconds}.${String(modified.nanoseconds).padStart(9, '0')}`);
  }
  // Sorted: mkfs.erofs keeps their order (from 1.9.3 on it sorts them in the same way itself).
  const sorted = [...(xattrs ?? [])].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [key, value] of sorted) {
    if (key.includes('=')) throw new RangeError(`xattr ${JSON.stringify(key)} has no form in a pax record`);
    add(`SCHILY.xattr.${key}`, value);
  }
  return Buffer.concat(parts);
}

/** "length key=value\n", where the length counts its own digits. */
function paxRecord(key: string, value: string | Buffer): Buffer {
  const rest = Buffer.concat([
    Buffer.from(` ${key}=`, 'latin1'),
    typeof value === 'string' ? Buffer.from(value, 'latin1') : value,
    Buffer.from('\n'),
  ]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function ustar(record: TarRecord): Buffer {
  const { name, linkName = '', mode = 0, uid = 0, gid = 0, sizeBytes = 0, modified, device } = record;
  const block = Buffer.alloc(TAR_BLOCK_BYTES);
  block.write(name.slice(0, MAX_NAME_BYTES), 0, 'latin1');
  octal(block, 100, 8, mode);
  octal(block, 108, 8, Math.min(uid, MAX_ID));
  octal(block, 116, 8, Math.min(gid, MAX_ID));
  octal(block, 124, 12, Math.min(sizeBytes, MAX_OCTAL_11));
  octal(block, 136, 12, Math.min(modified?.seconds ?? 0, MAX_OCTAL_11));
  block.write(record.type, 156, 'latin1');
  block.write(linkName.slice(0, MAX_NAME_BYTES), 157, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  octal(block, 329, 8, device?.major ?? 0);
  octal(block, 337, 8, device?.minor ?? 0);
  block.fill(' ', 148, 156);
  octal(
    block,
    148,
    8,
    block.reduce((sum, byte) => sum + byte, 0),
  );
  return block;
}

/** `width` counts the NUL at the end. */
function octal(block: Buffer, at: number, width: number, value: number): void {
  block.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1');
}
