/**
 * Numbers pages by their content: equal pages get one number. Kept as 16 bytes of each page's sha256 in a table without objects, since a
 * dump of many gigabytes has millions of pages: 28 to 40 bytes a page.
 */
import { hash } from 'node:crypto';

/** 32-bit words of a page's name. */
export const WORDS = 4;
const SLOTS_MIN = 1024;

export class PageNumbers {
  /** `WORDS` a page, in the order of the numbers. */
  #names = new Uint32Array((SLOTS_MIN / 2) * WORDS);
  /** Open addressing, at most half full: a page's number plus 1, or 0. */
  #slots = new Uint32Array(SLOTS_MIN);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The page's number; the next one when it is new. */
  add(page: Uint8Array): number {
    return this.addNamed(nameOf(page), 0);
  }

  /** The same for a page by its name, at `at` among others. */
  addNamed(names: Uint32Array, at: number): number {
    const slot = this.#slotOf(names, at);
    const known = this.#slots[slot]!;
    if (known !== 0) return known - 1;
    for (let i = 0; i < WORDS; i++) this.#names[this.#count * WORDS + i] = names[at + i]!;
    this.#slots[slot] = ++this.#count;
    if (this.#count * 2 === this.#slots.length) this.#grow();
    return this.#count - 1;
  }

  /** By the name at `at` among others. undefined: no page of this name was added. */
  find(names: Uint32Array, at: number): number | undefined {
    const known = this.#slots[this.#slotOf(names, at)]!;
    return known === 0 ? undefined : known - 1;
  }

  nameOf(number: number): Uint32Array {
    return this.#names.subarray(number * WORDS, (number + 1) * WORDS);
  }

  /** Where the name is, or the free slot where it belongs. */
  #slotOf(names: Uint32Array, at: number): number {
    const mask = this.#slots.length - 1;
    let slot = names[at]! & mask;
    while (this.#slots[slot] !== 0 && !this.#isNamed(this.#slots[slot]! - 1, names, at))
      slot = (slot + 1) & mask;
    return slot;
  }

  #isNamed(number: number, names: Uint32Array, at: number): boolean {
    for (let i = 0; i < WORDS; i++) if (this.#names[number * WORDS + i] !== names[at + i]) return false;
    return true;
  }

  #grow(): void {
    const names = new Uint32Array(this.#names.length * 2);
    names.set(this.#names);
    this.#names = names;
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 0; number < this.#count; number++) {
      const slot = this.#slotOf(names, number * WORDS);
      this.#slots[slot] = number + 1;
    }
  }
}

/** By its content. */
export function nameOf(page: Uint8Array): Uint32Array {
  const digest = hash('sha256', page, 'buffer');
  return new Uint32Array(digest.buffer, digest.byteOffset, WORDS);
}
