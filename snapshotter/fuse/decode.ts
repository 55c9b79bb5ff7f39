/**
 * Decoders of the kernel's requests: bytes in, plain objects out. They trust nothing: a length that does not fit, a
 * number that JavaScript cannot hold or a name without an end is one `BadRequestError`.
 */
import { IN_HEADER_BYTES, READ_BYTES_MAX } from './protocol.ts';

export class BadRequestError extends Error {
  constructor(why: string) {
    super(`bad FUSE request: ${why}`);
    this.name = 'BadRequestError';
  }
}

/** struct fuse_in_header. */
export interface RequestHeader {
  opcode: number;
  /** Names the request in its answer. The high bits have meanings, so all 64 go back as they came. */
  unique: bigint;
  /** Not exact above 2^53: all ids that we give out are below. */
  nodeId: number;
  /** The thread that asks, as seen from the mount's pid namespace; 0 when it cannot be seen. */
  pid: number;
}

/** `bytes` is one whole read of /dev/fuse. */
export function decodeHeader(bytes: Buffer): RequestHeader {
  if (bytes.length < IN_HEADER_BYTES) throw new BadRequestError(`${bytes.length} bytes are no header`);
  const sizeBytes = bytes.readUInt32LE(0);
  if (sizeBytes !== bytes.length) {
    throw new BadRequestError(`its length says ${sizeBytes} bytes, ${bytes.length} came`);
  }
  return {
    opcode: bytes.readUInt32LE(4),
    unique: bytes.readBigUInt64LE(8),
    nodeId: bytes.readUInt32LE(16) + bytes.readUInt32LE(20) * 2 ** 32,
    pid: bytes.readUInt32LE(32),
  };
}

/** The part behind the header. */
function need(bytes: Buffer, bodyBytes: number): void {
  const there = bytes.length - IN_HEADER_BYTES;
  if (there < bodyBytes) throw new BadRequestError(`${there} bytes of argument, ${bodyBytes} are needed`);
}

function u64(bytes: Buffer, at: number): number {
  const value = bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  if (!Number.isSafeInteger(value)) throw new BadRequestError(`${value} is too large`);
  return value;
}

/** Requests whose argument does not matter to us. */
export function decodeNothing(): undefined {
  return undefined;
}

/** struct fuse_init_in; its tail (flags2) came with 7.36 and is not needed. */
export interface InitRequest {
  major: number;
  minor: number;
  maxReadaheadBytes: number;
  flags: number;
}

export function decodeInit(bytes: Buffer): InitRequest {
  need(bytes, 16);
  return {
    major: bytes.readUInt32LE(IN_HEADER_BYTES),
    minor: bytes.readUInt32LE(IN_HEADER_BYTES + 4),
    maxReadaheadBytes: bytes.readUInt32LE(IN_HEADER_BYTES + 8),
    flags: bytes.readUInt32LE(IN_HEADER_BYTES + 12),
  };
}

/** A name that ends in a NUL byte, and nothing behind it. */
export function decodeName(bytes: Buffer): string {
  const end = bytes.indexOf(0, IN_HEADER_BYTES);
  if (end === -1 || end !== bytes.length - 1)
    throw new BadRequestError('a name that does not end in one NUL');
  if (end === IN_HEADER_BYTES) throw new BadRequestError('an empty name');
  return bytes.toString('latin1', IN_HEADER_BYTES, end);
}

/** struct fuse_open_in: the flags of open(2). */
export function decodeOpen(bytes: Buffer): number {
  need(bytes, 8);
  return bytes.readUInt32LE(IN_HEADER_BYTES);
}

/** struct fuse_read_in, for READ and READDIR. */
export interface ReadRequest {
  offset: number;
  sizeBytes: number;
}

export function decodeRead(bytes: Buffer): ReadRequest {
  need(bytes, 40);
  const offset = u64(bytes, IN_HEADER_BYTES + 8);
  const sizeBytes = bytes.readUInt32LE(IN_HEADER_BYTES + 16);
  if (sizeBytes > READ_BYTES_MAX) throw new BadRequestError(`a read of ${sizeBytes} bytes`);
  return { offset, sizeBytes };
}

/** struct fuse_batch_forget_in: the nodes that the kernel no longer knows. */
export function decodeBatchForget(bytes: Buffer): number[] {
  need(bytes, 8);
  const count = bytes.readUInt32LE(IN_HEADER_BYTES);
  need(bytes, 8 + count * 16);
  return Array.from({ length: count }, (_, i) => {
    const at = IN_HEADER_BYTES + 8 + i * 16;
    return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
  });
}

/** struct fuse_interrupt_in: the request to be interrupted. */
export function decodeInterrupt(bytes: Buffer): bigint {
  need(bytes, 8);
  return bytes.readBigUInt64LE(IN_HEADER_BYTES);
}
