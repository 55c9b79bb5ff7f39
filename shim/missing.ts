/**
 * Memory of a process that has not come yet: ranges of its addresses, each with the address at which the dump knows it. Processes move, drop and
 * inherit memory while it comes; all that is pure arithmetic, and is here.
 */
export interface Range {
  start: number;
  end: number;
  /** What the dump calls `start`. */
  dumped: number;
}

export class Missing {
  /** Ascending, without overlap. */
  #ranges: Range[];

  constructor(ranges: readonly Range[]) {
    this.#ranges = ranges.map((range) => ({ ...range })).sort((a, b) => a.start - b.start);
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** As a process has it that was forked just now. */
  clone(): Missing {
    return new Missing(this.#ranges);
  }

  /** What the dump calls this address; undefined where nothing is missing. */
  dumpedAt(address: number): number | undefined {
    const range = this.#ranges[this.#firstEndingAbove(address)];
    return range !== undefined && range.start <= address ? range.dumped + address - range.start : undefined;
  }

  /** The first missing bytes at or above the address, else the lowest; no more than `bytes`. */
  next(address: number, bytes: number): Range | undefined {
    const range = this.#ranges[this.#firstEndingAbove(address)] ?? this.#ranges[0];
    if (!range) return undefined;
    const start = range.start <= address && address < range.end ? address : range.start;
    return {
      start,
      end: Math.min(range.end, start + bytes),
      dumped: range.dumped + start - range.start,
    };
  }

  /** Where what the dump has at these addresses is missing now. */
  of(dumped: number, bytes: number): Range[] {
    const found: Range[] = [];
    for (const range of this.#ranges) {
      const from = Math.max(dumped, range.dumped);
      const to = Math.min(dumped + bytes, range.dumped + range.end - range.start);
      const start = range.start + from - range.dumped;
      if (from < to) found.push({ start, end: start + to - from, dumped: from });
    }
    return found;
  }

  /** It has come, or is gone. */
  drop(start: number, end: number): void {
    this.#take(start, end);
  }

  /** mremap(2): what was at the destination is gone. */
  move(from: number, to: number, bytes: number): void {
    const moved = this.#take(from, from + bytes);
    this.#take(to, to + bytes);
    const at = this.#firstEndingAbove(to);
    const shifted = moved.map((range) => ({
      start: range.start + to - from,
      end: range.end + to - from,
      dumped: range.dumped,
    }));
    this.#ranges.splice(at, 0, ...shifted);
  }

  /** Removes and answers what lies between. */
  #take(start: number, end: number): Range[] {
    const first = this.#firstEndingAbove(start);
    let last = first;
    while (last < this.#ranges.length && this.#ranges[last]!.start < end) last++;
    const parts = this.#ranges.slice(first, last).map((range) => ({
      before: part(range, range.start, start),
      between: part(range, start, end),
      after: part(range, end, range.end),
    }));
    const kept = parts.flatMap(({ before, after }) => [...before, ...after]);
    this.#ranges.splice(first, last - first, ...kept);
    return parts.flatMap(({ between }) => between);
  }

  #firstEndingAbove(address: number): number {
    let [from, to] = [0, this.#ranges.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#ranges[middle]!.end > address) to = middle;
      else from = middle + 1;
    }
    return from;
  }
}

/** The part of a range between two addresses, or nothing. */
function part(range: Range, start: number, end: number): Range[] {
  const from = Math.max(range.start, start);
  const to = Math.min(range.end, end);
  return from < to ? [{ start: from, end: to, dumped: range.dumped + from - range.start }] : [];
}
