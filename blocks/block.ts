/** What a block is: its name, its bounds, and how bytes are checked against a name. */
import { hash } from 'node:crypto';
import { type BlockId, PAGE_BYTES } from './types.ts';

/** No block is longer; `chunker.ts` cuts at the latest here. A reader allocates at most this for one block. */
export const MAX_BLOCK_PAGES = 128;
export const MAX_BLOCK_BYTES = MAX_BLOCK_PAGES * PAGE_BYTES;

const HEX_SHA256 = /^[0-9a-f]{64}$/;

/** True for 64 lower-case hex digits: the only names that ever become part of a path. */
export function isSha256(name: string): boolean {
  return HEX_SHA256.test(name);
}

/** The block's name. */
export function blockIdOf(bytes: Uint8Array): BlockId {
  return hash('sha256', bytes, 'hex');
}

/** Bytes that are not what their name says. */
export class CorruptBlockError extends Error {
  readonly id: BlockId;
  constructor(id: BlockId, why: string) {
    super(`block ${id} is corrupt: ${why}`);
    this.name = 'CorruptBlockError';
    this.id = id;
  }
}

/** Throws `CorruptBlockError` unless `bytes` are whole pages within the bounds, with this hash. */
export function verifyBlock(id: BlockId, bytes: Uint8Array): void {
  if (bytes.length === 0 || bytes.length > MAX_BLOCK_BYTES || bytes.length % PAGE_BYTES !== 0) {
    throw new CorruptBlockError(id, `${bytes.length} bytes is no block's length`);
  }
  const found = blockIdOf(bytes);
  if (found !== id) throw new CorruptBlockError(id, `its bytes hash to ${found}`);
}
