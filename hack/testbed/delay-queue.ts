/**
 * Packets that wait for their time: one ring of bytes, filled and emptied in order, allocated once. A packet lies in one
 * piece; where it would cross the ring's end it starts at the beginning again.
 */

export const maxPacketBytes = 66 * 1024; // 64 KiB of segmentation-offload packet and its headers
const maxPackets = 32 * 1024;

export class DelayQueue {
  readonly bytes: Buffer;
  readonly #starts = new Uint32Array(maxPackets);
  readonly #lengths = new Uint32Array(maxPackets);
  readonly #dueMs = new Float64Array(maxPackets);
  #first = 0;
  #count = 0;
  /** Where the next packet would start. */
  #free = 0;

  constructor(capacityBytes: number) {
    this.bytes = Buffer.alloc(Math.max(capacityBytes, 4 * maxPacketBytes));
  }

  get length(): number {
    return this.#count;
  }

  /** A place for a packet of any size, as an offset into `bytes`; undefined when the ring is full. */
  reserve(): number | undefined {
    if (this.#count === maxPackets) return undefined;
    const oldest = this.#count > 0 ? this.#starts[this.#first]! : undefined;
    const wrapped = oldest !== undefined && this.#free <= oldest;
    const end = wrapped ? oldest : this.bytes.length;
    if (end - this.#free >= maxPacketBytes) return this.#free;
    if (wrapped || (oldest !== undefined && oldest < maxPacketBytes)) return undefined;
    this.#free = 0;
    return 0;
  }

  /** The reserved place now holds a packet, to be sent at `dueMs`. */
  commit(lengthBytes: number, dueMs: number): void {
    const slot = (this.#first + this.#count) % maxPackets;
    this.#starts[slot] = this.#free;
    this.#lengths[slot] = lengthBytes;
    this.#dueMs[slot] = dueMs;
    this.#free += lengthBytes;
    this.#count += 1;
  }

  /** When the oldest packet is to be sent; infinity when there is none. */
  get dueMs(): number {
    return this.#count > 0 ? this.#dueMs[this.#first]! : Number.POSITIVE_INFINITY;
  }

  /** The oldest packet, without a copy: valid until the next `reserve`. */
  take(): Buffer {
    const start = this.#starts[this.#first]!;
    const packet = this.bytes.subarray(start, start + this.#lengths[this.#first]!);
    this.#first = (this.#first + 1) % maxPackets;
    this.#count -= 1;
    return packet;
  }
}
