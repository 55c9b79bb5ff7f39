/**
 * The frames on volumes.sock, between the volume server (which asks) and the node process (which brings).
 *
 *     u32 length of the rest | u8 type | payload                      all little endian
 *     1 BRING   u32 request, 32 bytes root, 32 bytes block id          server to node
 *     2 CANCEL  u32 request                                            server to node
 *     3 DONE    u32 request                                            node to server: the block is in the store
 *     4 FAILED  u32 request, UTF-8 reason (up to 1024 bytes)           node to server
 *
 * The side that asks chooses the request's number; it is free again once answered or cancelled.
 */
import type { BlockId, Root } from '../../blocks/types.ts';

export type Frame =
  | { type: 'bring'; request: number; root: Root; block: BlockId }
  | { type: 'cancel'; request: number }
  | { type: 'done'; request: number }
  | { type: 'failed'; request: number; reason: string };

const TYPE = { bring: 1, cancel: 2, done: 3, failed: 4 } as const;
const HASH_BYTES = 32;
const REASON_BYTES_MAX = 1024;
/** Type and request. */
const FIXED_BYTES = 5;
const FRAME_BYTES_MAX = FIXED_BYTES + REASON_BYTES_MAX;

/** Bytes that are no frame: the connection is of no use any more. */
export class BadFrameError extends Error {
  constructor(why: string) {
    super(`bad frame: ${why}`);
    this.name = 'BadFrameError';
  }
}

export function encodeFrame(frame: Frame): Buffer {
  const payload = payloadOf(frame);
  const bytes = Buffer.allocUnsafe(4 + FIXED_BYTES + payload.length);
  bytes.writeUInt32LE(FIXED_BYTES + payload.length, 0);
  bytes[4] = TYPE[frame.type];
  bytes.writeUInt32LE(frame.request, 5);
  payload.copy(bytes, 9);
  return bytes;
}

function payloadOf(frame: Frame): Buffer {
  if (frame.type === 'bring') return Buffer.from(frame.root + frame.block, 'hex');
  if (frame.type === 'failed') return Buffer.from(frame.reason).subarray(0, REASON_BYTES_MAX);
  return Buffer.alloc(0);
}

/** Cuts a stream of bytes into frames. Holds at most one unfinished frame. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that `chunk` completes. Throws `BadFrameError`, and is then of no use any more. */
  *push(chunk: Buffer): Generator<Frame> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = Buffer.alloc(0);
    while (bytes.length >= 4) {
      const frameBytes = bytes.readUInt32LE(0);
      if (frameBytes < FIXED_BYTES || frameBytes > FRAME_BYTES_MAX) {
        throw new BadFrameError(`a length of ${frameBytes} bytes`);
      }
      if (bytes.length < 4 + frameBytes) break;
      yield decodeFrame(bytes.subarray(4, 4 + frameBytes));
      bytes = bytes.subarray(4 + frameBytes);
    }
    this.#rest = Buffer.from(bytes);
  }
}

function decodeFrame(bytes: Buffer): Frame {
  const request = bytes.readUInt32LE(1);
  const payload = bytes.subarray(FIXED_BYTES);
  switch (bytes[0]) {
    case TYPE.bring:
      if (payload.length !== 2 * HASH_BYTES) throw new BadFrameError(`BRING with ${payload.length} bytes`);
      return {
        type: 'bring',
        request,
        root: payload.toString('hex', 0, HASH_BYTES),
        block: payload.toString('hex', HASH_BYTES),
      };
    case TYPE.cancel:
    case TYPE.done:
      if (payload.length !== 0) throw new BadFrameError(`${payload.length} bytes behind a request's number`);
      return { type: bytes[0] === TYPE.done ? 'done' : 'cancel', request };
    case TYPE.failed:
      return { type: 'failed', request, reason: payload.toString() };
    default:
      throw new BadFrameError(`type ${bytes[0]}`);
  }
}
