/**
 * A set of block ids that takes some 16 bytes an id, not 100: for questions about every block of large volumes. It keeps the first
 * 52 bits of each, so of 100,000 ids that are in it one in 10^10 that are not is taken for one of them: only for uses in which
 * that does no harm.
 */
import type { BlockId } from './types.ts';

const HEX_DIGITS = 13;
const MIN_SLOTS = 1024;

export class IdSet {
  #slots = new Float64Array(MIN_SLOTS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(id: BlockId): void {
    if (2 * this.#size >= this.#slots.length) this.#grow();
    if (place(this.#slots, keyOf(id))) this.#size++;
  }

  has(id: BlockId): boolean {
    const key = keyOf(id);
    return this.#slots[slotOf(this.#slots, key)] === key;
  }

  #grow(): void {
    const slots = new Float64Array(2 * this.#slots.length);
    for (const key of this.#slots) if (key !== 0) place(slots, key);
    this.#slots = slots;
  }
}

/** Never 0, which is an empty slot. */
function keyOf(id: BlockId): number {
  return Number.parseInt(id.slice(0, HEX_DIGITS), 16) + 1;
}

/** Where the key is, or the empty slot where it belongs. The number of slots is a power of two; ids are random already. */
function slotOf(slots: Float64Array, key: number): number {
  const mask = slots.length - 1;
  let at = key % slots.length;
  while (slots[at] !== 0 && slots[at] !== key) at = (at + 1) & mask;
  return at;
}

/** False when it was there. */
function place(slots: Float64Array, key: number): boolean {
  const at = slotOf(slots, key);
  if (slots[at] === key) return false;
  slots[at] = key;
  return true;
}
