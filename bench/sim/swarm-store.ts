/** Blocks of one image on a node of the swarm: names and lengths, and a disk that takes its time. */
import type { BlockId, BlockStore } from '../../blocks/types.ts';
import type { Clock } from '../../peers/clock.ts';

/** Making a file takes so long, whatever its size (ext4), and writing it as this says. */
const FILE_MS = 0.3;
const DISK_BYTES_PER_MS = 1_000_000;
/** What blocks are made of: only their names and lengths matter. */
const ZEROS = Buffer.alloc(512 * 1024);

/** Lengths of the image's blocks, in its order. */
export type Image = ReadonlyMap<BlockId, number>;

export class SwarmStore implements BlockStore {
  readonly #image: Image;
  readonly #clock: Clock;
  readonly #here = new Set<BlockId>();
  #diskFreeMs = 0;

  constructor(image: Image, clock: Clock) {
    this.#image = image;
    this.#clock = clock;
  }

  fill(): void {
    for (const id of this.#image.keys()) this.#here.add(id);
  }

  has(id: BlockId): boolean {
    return this.#here.has(id);
  }

  path(id: BlockId): string {
    return id;
  }

  /** One after the other, as one disk writes. */
  put(id: BlockId, bytes: Uint8Array): Promise<void> {
    if (bytes.length !== this.#image.get(id)) throw new Error(`block ${id} came with ${bytes.length} bytes`);
    const nowMs = this.#clock.now();
    this.#diskFreeMs = Math.max(nowMs, this.#diskFreeMs) + FILE_MS + bytes.length / DISK_BYTES_PER_MS;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#clock.after(this.#diskFreeMs - nowMs, () => {
      this.#here.add(id);
      resolve();
    });
    return promise;
  }

  /** What was written lately is in memory. */
  async get(id: BlockId): Promise<Buffer | undefined> {
    return this.#here.has(id) ? ZEROS.subarray(0, this.#image.get(id)) : undefined;
  }

  async remove(id: BlockId): Promise<void> {
    this.#here.delete(id);
  }

  async sync(): Promise<void> {}

  stats(): { count: number; bytes: number } {
    return { count: this.#here.size, bytes: 0 };
  }

  ids(): Iterable<BlockId> {
    return this.#here;
  }
}
