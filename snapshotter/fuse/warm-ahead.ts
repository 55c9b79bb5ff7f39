/**
 * Reading ahead on a cold disk. A volume that is read in order is read from one small file after the other, so the
 * kernel's own readahead, which ends with a file, is of no help: every block would wait for the disk. While reads of a
 * volume are in order and slow, the next blocks are pulled into the page cache by libuv's threads; the data itself is
 * thrown away. (Measured on a file of 100 MB, cold: 0.19 s instead of 0.38 s.)
 */
import { close, open, read } from 'node:fs';
import { MAX_BLOCK_BYTES } from '../../blocks/block.ts';

/** From the page cache even the largest block takes less; from any disk more. */
const SLOW_MS = 0.2;
/** Steps over a few blocks are still "in order": a tree is read without its metadata. */
const STEP_MAX = 4;
/** About 2 MiB of blocks. */
const AHEAD = 16;
/** One slow read is followed by this many that are read ahead, slow or not. */
const COLD_READS = 64;

/** Where one volume is being read. */
export class WarmAhead {
  readonly #path: (block: number) => string;
  readonly #blockCount: number;
  #last = Number.NEGATIVE_INFINITY;
  #warmedTo = 0;
  #coldReads = 0;

  constructor(blockCount: number, path: (block: number) => string) {
    this.#blockCount = blockCount;
    this.#path = path;
  }

  /** Block `i` was read in `tookMs`. */
  note(i: number, tookMs: number): void {
    const step = i - this.#last;
    this.#last = i;
    if (step < 0 || step > STEP_MAX) {
      this.#coldReads = 0;
      this.#warmedTo = 0;
      return;
    }
    if (tookMs > SLOW_MS) this.#coldReads = COLD_READS;
    if (this.#coldReads === 0 || step === 0) return;
    this.#coldReads--;
    const end = Math.min(i + 1 + AHEAD, this.#blockCount);
    for (let next = Math.max(i + 1, this.#warmedTo); next < end; next++) warm(this.#path(next));
    this.#warmedTo = end;
  }
}

/** Where data goes that nobody wants; several reads may fill it at once. */
const sink = Buffer.allocUnsafeSlow(MAX_BLOCK_BYTES);

function warm(path: string): void {
  // A descriptor of its own: a shared one might be closed, and its number mean something else, before the read begins.
  open(path, 'r', (absent, fd) => {
    if (absent) return;
    read(fd, sink, 0, MAX_BLOCK_BYTES, 0, () => close(fd, () => {}));
  });
}
