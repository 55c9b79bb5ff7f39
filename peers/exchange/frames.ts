/**
 * The bulk protocol between nodes, chosen by ALPN on the peer port: frames over mutual TLS, all integers big-endian.
 *
 *   client to server   kind u8, request u32, then for ASK and AWAIT: count u16, `count` ids of 32 bytes; CANCEL has nothing more
 *   server to client   request u32, length u32, `length` bytes of a block
 *
 * Each request is answered with one frame an id, in the order of its ids; those of ASK one after the other. AWAIT lets the server hold an answer, for
 * a bounded time, while it is fetching the block itself; frames of other requests may come in between. Length 0 (no block is
 * empty) says that the block is not here; REFUSED ends the request. Ids of requests count up; a frame of a
 * request that the client has cancelled may still be on the way.
 *
 * gRPC carried blocks at a quarter of this rate: four copies of each byte, and garbage to collect for each of them
 * (docs/decisions.md).
 */
import { MAX_BLOCK_BYTES } from '../../blocks/block.ts';
import type { BlockId } from '../../blocks/types.ts';
import { MAX_BLOCKS_PER_REQUEST } from './limits.ts';
import { ID_BYTES, idBytes, idsFrom, WireError } from './wire.ts';

export const BLOCKS_PROTOCOL = 'forage-blocks/1';

const ASK = 1;
const CANCEL = 2;
const AWAIT = 3;
const COMMAND_BYTES = 5;
const COUNT_BYTES = 2;
export const HEADER_BYTES = 8;
/** In place of a length: too many requests are open. */
const REFUSED = 0xffffffff;

export type Command =
  | { kind: 'ask'; request: number; ids: BlockId[]; mayWait: boolean }
  | { kind: 'cancel'; request: number };

export function askFrame(request: number, ids: readonly BlockId[], mayWait = false): Buffer {
  const head = Buffer.alloc(COMMAND_BYTES + COUNT_BYTES);
  head[0] = mayWait ? AWAIT : ASK;
  head.writeUInt32BE(request, 1);
  head.writeUInt16BE(ids.length, COMMAND_BYTES);
  return Buffer.concat([head, idBytes(ids)]);
}

export function cancelFrame(request: number): Buffer {
  const frame = Buffer.alloc(COMMAND_BYTES);
  frame[0] = CANCEL;
  frame.writeUInt32BE(request, 1);
  return frame;
}

/** Precedes a block's bytes; 0 for a block that is not here. */
export function blockHeader(request: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header.writeUInt32BE(request, 0);
  header.writeUInt32BE(length, 4);
  return header;
}

export function refusedFrame(request: number): Buffer {
  return blockHeader(request, REFUSED);
}

/** `length` is undefined when the request was refused. Throws WireError. */
export function readHeader(header: Buffer): { request: number; length: number | undefined } {
  const request = header.readUInt32BE(0);
  const length = header.readUInt32BE(4);
  if (length === REFUSED) return { request, length: undefined };
  if (length > MAX_BLOCK_BYTES) throw new WireError(`a block of ${length} bytes`);
  return { request, length };
}

/** Cuts what a client sends into commands; keeps what is not whole yet, which is never more than one of them. */
export class CommandReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws WireError; the connection is of no use any more then. */
  *read(chunk: Buffer): Generator<Command> {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const length = commandBytes(bytes);
      if (length === undefined || bytes.length < length) break;
      yield commandFrom(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.#rest = Buffer.from(bytes);
  }
}

/** undefined: too short to tell. */
function commandBytes(bytes: Buffer): number | undefined {
  if (bytes.length === 0) return undefined;
  if (bytes[0] === CANCEL) return COMMAND_BYTES;
  if (bytes[0] !== ASK && bytes[0] !== AWAIT) throw new WireError(`a command of kind ${bytes[0]}`);
  if (bytes.length < COMMAND_BYTES + COUNT_BYTES) return undefined;
  const count = bytes.readUInt16BE(COMMAND_BYTES);
  if (count < 1 || count > MAX_BLOCKS_PER_REQUEST) throw new WireError(`a request for ${count} blocks`);
  return COMMAND_BYTES + COUNT_BYTES + count * ID_BYTES;
}

function commandFrom(bytes: Buffer): Command {
  const request = bytes.readUInt32BE(1);
  if (bytes[0] === CANCEL) return { kind: 'cancel', request };
  const ids = idsFrom(bytes.subarray(COMMAND_BYTES + COUNT_BYTES), MAX_BLOCKS_PER_REQUEST);
  return { kind: 'ask', request, ids, mayWait: bytes[0] === AWAIT };
}
