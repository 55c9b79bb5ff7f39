/** Where in an image that is being planned each page stands, by the page's number (`page-numbers.ts`). Every page stands once. */
import { HOLE } from './flat-image.ts';

/** No page of a file is the image's first: there is the superblock. */
const NOWHERE = 0;

export class Places {
  readonly #places: Uint32Array;
  #next: number;

  /** `from`: the image's first page that is free. */
  constructor(count: number, from: number) {
    this.#places = new Uint32Array(count).fill(NOWHERE);
    this.#next = from;
  }

  /** How many pages the image has so far. */
  get next(): number {
    return this.#next;
  }

  has(number: number): boolean {
    return this.#places[number] !== NOWHERE;
  }

  /** For a file's map. */
  of(number: number): number {
    return number === HOLE ? HOLE : this.#places[number]!;
  }

  /** Gives the page the next place, unless it has one or needs none. */
  add(number: number): void {
    if (number !== HOLE && !this.has(number)) this.#places[number] = this.#next++;
  }

  /** A block that stands in the image as it is, with pages that nobody needs (undefined), too. */
  addBlock(numbers: readonly (number | undefined)[]): void {
    numbers.forEach((number, i) => {
      if (number !== undefined && !this.has(number)) this.#places[number] = this.#next + i;
    });
    this.#next += numbers.length;
  }

  /** Pages in a row that have no numbers. */
  row(pageCount: number): Uint32Array {
    const first = this.#next;
    this.#next += pageCount;
    return Uint32Array.from({ length: pageCount }, (_, i) => first + i);
  }
}
