/** The block store's twin in memory, for tests. */
import { verifyBlock } from './block.ts';
import type { BlockId, BlockStore, Room } from './types.ts';

export class MemoryBlockStore implements BlockStore {
  readonly #blocks = new Map<BlockId, Buffer>();
  readonly #onCorrupt: (error: Error) => void;

  constructor(onCorrupt: (error: Error) => void) {
    this.#onCorrupt = onCorrupt;
  }

  has(id: BlockId): boolean {
    return this.#blocks.has(id);
  }

  path(id: BlockId): string {
    return `/memory/${id.slice(0, 2)}/${id}`;
  }

  async put(id: BlockId, bytes: Uint8Array): Promise<void> {
    verifyBlock(id, bytes);
    this.#blocks.set(id, Buffer.from(bytes));
  }

  async get(id: BlockId, room: Room = Buffer.allocUnsafeSlow): Promise<Buffer | undefined> {
    const bytes = this.#blocks.get(id);
    if (!bytes) return undefined;
    try {
      verifyBlock(id, bytes);
      const copy = room(bytes.length).subarray(0, bytes.length);
      copy.set(bytes);
      return copy;
    } catch (error) {
      this.#blocks.delete(id);
      this.#onCorrupt(error as Error);
      return undefined;
    }
  }

  async remove(id: BlockId): Promise<void> {
    this.#blocks.delete(id);
  }

  async sync(): Promise<void> {}

  stats(): { count: number; bytes: number } {
    let bytes = 0;
    for (const block of this.#blocks.values()) bytes += block.length;
    return { count: this.#blocks.size, bytes };
  }

  ids(): Iterable<BlockId> {
    return this.#blocks.keys();
  }

  /** For tests: flips one bit of a stored block. */
  flipBit(id: BlockId, bit: number): void {
    const bytes = this.#blocks.get(id);
    if (bytes) bytes[(bit >> 3) % bytes.length]! ^= 1 << (bit & 7);
  }
}

export function memoryBlockStore(onCorrupt: (error: Error) => void = () => {}): MemoryBlockStore {
  return new MemoryBlockStore(onCorrupt);
}
