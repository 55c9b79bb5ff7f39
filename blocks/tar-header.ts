/**
 * One 512-byte header of a tar archive and the pax records that may stand before it, read as Go's archive/tar reads them,
 * because that is what containerd unpacks with. Names are latin1 strings, so that every byte survives.
 * Formats: POSIX.1-2001 "pax", the GNU tar manual, and star's xattr records.
 */
export const TAR_BLOCK_BYTES = 512;

/** An archive that containerd's reader would refuse, or that is beyond our limits. */
export class BadTarError extends Error {
  constructor(why: string) {
    super(`bad tar: ${why}`);
    this.name = 'BadTarError';
  }
}

export interface Time {
  /** Since 1970; may be negative. */
  seconds: number;
  nanoseconds: number;
}

/** What the fixed fields say. */
export interface TarHeader {
  /** '0' file, '1' hard link, '2' symlink, '3' char, '4' block, '5' directory, '6' fifo, NUL: of old, file or directory. */
  type: string;
  name: string;
  linkName: string;
  /** Permission bits with setuid, setgid and sticky; the file type's bits are dropped. */
  mode: number;
  uid: number;
  gid: number;
  sizeBytes: number;
  modified: Time;
  deviceMajor: number;
  deviceMinor: number;
}

/** Bytes up to the first NUL. */
function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? length : end);
}

/** Octal digits amid blanks and NULs, or GNU's base 256 (first bit set, big endian, two's complement). */
function number(block: Buffer, start: number, length: number): number {
  if ((block[start]! & 0x80) === 0) return octal(block, start, length);
  const negative = (block[start]! & 0x40) !== 0;
  let value = 0;
  for (let i = start; i < start + length; i++) {
    const byte = (negative ? ~block[i]! : block[i]!) & (i === start ? 0x7f : 0xff);
    value = value * 256 + byte;
  }
  if (!Number.isSafeInteger(value)) throw new BadTarError('a number beyond 2^53');
  return negative ? -value - 1 : value;
}

function octal(block: Buffer, start: number, length: number): number {
  const digits = block.toString('latin1', start, start + length).replace(/^[ \0]+|[ \0]+$/g, '');
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new BadTarError(`octal number ${JSON.stringify(digits)}`);
  return Number.parseInt(digits, 8);
}

/** Historic archives sum the bytes as signed ones; both are taken. */
function checkSum(block: Buffer): void {
  const written = octal(block, 148, 8);
  let unsigned = 8 * 0x20;
  let signed = unsigned;
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue;
    unsigned += block[i]!;
    signed += (block[i]! << 24) >> 24;
  }
  if (written !== unsigned && written !== signed) throw new BadTarError('checksum of a header');
}

export function isZeroBlock(block: Buffer): boolean {
  return block.every((byte) => byte === 0);
}

/** Throws `BadTarError`. */
export function parseHeader(block: Buffer): TarHeader {
  checkSum(block);
  const magic = block.toString('latin1', 257, 265);
  const isUstar = magic.startsWith('ustar\0');
  const isGnu = magic === 'ustar  \0';
  const isStar = isUstar && block.toString('latin1', 508, 512) === 'tar\0';
  const prefix = isUstar ? text(block, 345, isStar ? 131 : 155) : '';
  const name = text(block, 0, 100);
  return {
    type: block.toString('latin1', 156, 157),
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkName: text(block, 157, 100),
    mode: number(block, 100, 8) & 0o7777,
    uid: number(block, 108, 8),
    gid: number(block, 116, 8),
    sizeBytes: number(block, 124, 12),
    modified: { seconds: number(block, 136, 12), nanoseconds: 0 },
    deviceMajor: isUstar || isGnu ? number(block, 329, 8) : 0,
    deviceMinor: isUstar || isGnu ? number(block, 337, 8) : 0,
  };
}

/** Records "length key=value\n" in their order; values as bytes. Throws `BadTarError`. */
export function parsePax(data: Buffer): Array<[string, Buffer]> {
  const records: Array<[string, Buffer]> = [];
  for (let at = 0; at < data.length; ) {
    const blank = data.indexOf(0x20, at);
    const lengthText = blank === -1 ? '' : data.toString('latin1', at, blank);
    const end = at + Number(lengthText);
    if (!/^\d{1,9}$/.test(lengthText) || end > data.length || end <= blank + 1 || data[end - 1] !== 0x0a) {
      throw new BadTarError('length of a pax record');
    }
    const equals = data.indexOf(0x3d, blank + 1);
    if (equals === -1 || equals >= end) throw new BadTarError('pax record without a value');
    records.push([data.toString('latin1', blank + 1, equals), data.subarray(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** A decimal number with any count of digits after the point; what is finer than a nanosecond is cut off. */
export function parsePaxTime(value: string): Time {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(value);
  if (!match) throw new BadTarError(`time ${JSON.stringify(value)}`);
  const seconds = Number(match[2]);
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  return match[1] ? { seconds: -seconds, nanoseconds: -nanoseconds } : { seconds, nanoseconds };
}

export function parsePaxInteger(value: string): number {
  if (!/^-?\d{1,16}$/.test(value)) throw new BadTarError(`number ${JSON.stringify(value)}`);
  return Number(value);
}
