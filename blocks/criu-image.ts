/**
 * CRIU's images as files: two numbers that tell their kind, then records, each 4 bytes of length and a protobuf message. Source:
 * images/*.proto and criu/include/magic.h of CRIU 4.2. Fields are read by their numbers: few of many are of use here.
 */
import { readFileSync } from 'node:fs';
import jspb from 'google-protobuf';

const HEADER_BYTES = 8;
const COMMON_MAGIC = 0x54564319;

export const MAGIC = {
  pagemap: 0x56084025,
  mm: 0x57492820,
  core: 0x55053847,
  files: 0x56303138,
  remaps: 0x59133954,
};

/** An image that is cut off, or is none of CRIU's. */
export class CriuImageError extends Error {
  constructor(path: string, why: string) {
    super(`${path} is no image that CRIU has written: ${why}`);
    this.name = 'CriuImageError';
  }
}

/** The messages of a file. Throws `CriuImageError`, or why it cannot be read. */
export function records(path: string, magic: number): Uint8Array[] {
  return recordsIn(readFileSync(path), magic, path);
}

/** Of a file's bytes. Throws `CriuImageError`. */
export function recordsIn(bytes: Buffer, magic: number, path: string): Uint8Array[] {
  const isRight =
    bytes.length >= HEADER_BYTES && bytes.readUInt32LE(0) === COMMON_MAGIC && bytes.readUInt32LE(4) === magic;
  if (!isRight) throw new CriuImageError(path, 'it begins otherwise');
  const found: Uint8Array[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    const end = at + 4 <= bytes.length ? at + 4 + bytes.readUInt32LE(at) : Number.POSITIVE_INFINITY;
    if (end > bytes.length) throw new CriuImageError(path, 'it is cut off');
    // A plain view: google-protobuf would copy a Buffer.
    found.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at + 4, end - at - 4));
    at = end;
  }
  return found;
}

/** The message at the end of a way through messages. Throws `CriuImageError`, as all below. */
export function field(path: string, message: Uint8Array, way: readonly number[]): Uint8Array | undefined {
  let at: Uint8Array | undefined = message;
  for (const number of way) at = at && fields(path, at, number)[0];
  return at;
}

/** Messages, strings and bytes of that number. */
export function fields(path: string, message: Uint8Array, number: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  walk(path, message, (reader) => {
    if (reader.getFieldNumber() !== number || reader.getWireType() !== LENGTH_DELIMITED) return false;
    found.push(reader.readBytes() as Uint8Array);
    return true;
  });
  return found;
}

const LENGTH_DELIMITED = 2;
const VARINT = 0;
const FIXED_64 = 1;
const FIXED_32 = 5;
/** Ten bytes of seven bits each: the longest number there is. */
const MAX_FACTOR = 2 ** 63;

/** Numbers of that number. Addresses of a process stay below 2^53. */
export function numbersIn(path: string, message: Uint8Array, number: number): number[] {
  const found: number[] = [];
  walk(path, message, (reader) => {
    if (reader.getFieldNumber() !== number || reader.getWireType() !== VARINT) return false;
    found.push(reader.readUint64());
    return true;
  });
  return found;
}

/** The last one counts. */
export function numberIn(path: string, message: Uint8Array, number: number): number | undefined {
  return numbersIn(path, message, number).at(-1);
}

/**
 * All numbers of a message, by their numbers; of each the last one. By hand, since the map of a gigabyte has tens of thousands of messages, and is read
 * while a container is frozen: google-protobuf takes 20 times as long. Source: protobuf.dev/programming-guides/encoding.
 */
export function numbersOf(path: string, message: Uint8Array): (number | undefined)[] {
  const found: (number | undefined)[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = message[at++];
      if (byte === undefined || factor > MAX_FACTOR) throw new CriuImageError(path, 'a number without end');
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const type = tag % 8;
    if (type === VARINT) found[Math.floor(tag / 8)] = varint();
    else if (type === LENGTH_DELIMITED) {
      const bytes = varint();
      at += bytes;
    } else if (type === FIXED_32 || type === FIXED_64) at += type === FIXED_32 ? 4 : 8;
    else throw new CriuImageError(path, 'a field of an unknown kind');
  }
  if (at > message.length) throw new CriuImageError(path, 'a field that is cut off');
  return found;
}

/** An image of these messages. */
export function encodeRecords(magic: number, messages: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [numbers(COMMON_MAGIC, magic)];
  for (const message of messages) parts.push(numbers(message.length), message);
  return Buffer.concat(parts);
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, i) => {
    bytes.writeUInt32LE(value, i * 4);
  });
  return bytes;
}

/** `read` answers whether it has read the field that the reader is at. */
function walk(path: string, message: Uint8Array, read: (reader: jspb.BinaryReader) => boolean): void {
  try {
    const reader = new jspb.BinaryReader(message);
    while (reader.nextField()) if (!read(reader)) reader.skipField();
  } catch (error) {
    throw new CriuImageError(path, (error as Error).message);
  }
}
