import { PAGE_BYTES } from './types.ts';

/** A set of an image's pages, one bit each. */
export class PageSet {
  readonly pageCount: number;
  readonly #bits: Uint8Array;

  constructor(pageCount: number) {
    this.pageCount = pageCount;
    this.#bits = new Uint8Array(Math.ceil(pageCount / 8));
  }

  has(page: number): boolean {
    return ((this.#bits[page >> 3]! >> (page & 7)) & 1) === 1;
  }

  /** Adds every page that the range touches. */
  addRange(offsetBytes: number, lengthBytes: number): void {
    const last = Math.ceil((offsetBytes + lengthBytes) / PAGE_BYTES);
    for (let page = Math.floor(offsetBytes / PAGE_BYTES); page < last; page++) {
      this.#bits[page >> 3]! |= 1 << (page & 7);
    }
  }

  get size(): number {
    let count = 0;
    for (let page = 0; page < this.pageCount; page++) if (this.has(page)) count++;
    return count;
  }
}
