/** Buffers for blocks, used again: allocating outside V8's heap for each block costs more in collecting than in filling. */
import { MAX_BLOCK_BYTES } from '../../blocks/block.ts';

const SMALLEST_BYTES = 64 * 1024;
/** Kept while nobody uses them, in all. */
const IDLE_MAX_BYTES = 4 << 20;

class BufferPool {
  readonly #idle = new Map<number, Buffer[]>();
  #idleBytes = 0;

  /** At least `length` bytes, with whatever was in them before. */
  take(length: number): Buffer {
    const size = sizeClass(length);
    const buffer = this.#idle.get(size)?.pop();
    if (!buffer) return Buffer.allocUnsafeSlow(size);
    this.#idleBytes -= size;
    return buffer;
  }

  /** Nobody may look at it any more. */
  give(buffer: Buffer): void {
    if (this.#idleBytes + buffer.length > IDLE_MAX_BYTES) return;
    this.#idleBytes += buffer.length;
    const idle = this.#idle.get(buffer.length);
    if (idle) idle.push(buffer);
    else this.#idle.set(buffer.length, [buffer]);
  }
}

/** All connections share it, in both directions: few of them are busy at the same time. */
export const buffers = new BufferPool();

/** Powers of two: a block wastes less than half. */
function sizeClass(length: number): number {
  let size = SMALLEST_BYTES;
  while (size < length && size < MAX_BLOCK_BYTES) size *= 2;
  return Math.max(size, length);
}
