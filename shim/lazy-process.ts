/** A restored process whose memory is still coming: what of it is missing, and how a page gets there without ever being taken for another. */
import { PAGE_BYTES } from '../blocks/types.ts';
import type { Dump } from './dump-memory.ts';
import { Missing, type Range } from './missing.ts';
import { Uffd, type UffdEvent } from './uffd.ts';

export class LazyProcess {
  readonly dump: Dump;
  /** Its number in the dump, or its forebear's. */
  readonly pid: number;
  readonly uffd: Pick<Uffd, 'fd' | 'events' | 'give' | 'giveZeros' | 'isGone' | 'close'>;
  /** Pages, by the dump's addresses, that are being read because somebody waits. */
  readonly awaited = new Set<number>();
  #missing: Missing;
  #isClosed = false;

  constructor(pid: number, uffd: LazyProcess['uffd'], dump: Dump, missing: Missing) {
    this.pid = pid;
    this.uffd = uffd;
    this.dump = dump;
    this.#missing = missing;
  }

  get isWhole(): boolean {
    return this.#missing.isEmpty;
  }

  dumpedAt(address: number): number | undefined {
    return this.#missing.dumpedAt(address);
  }

  next(address: number, bytes: number): Range | undefined {
    return this.#missing.next(address, bytes);
  }

  /** Its end, or that of all: what is under way for it comes to nothing. */
  close(): void {
    this.#missing = new Missing([]);
    this.#isClosed = true;
    this.uffd.close();
  }

  /** A page that the dump does not have. Answers whether that is done: if not, look, and see what is true then. */
  giveZeros(address: number): boolean {
    return this.#isClosed || this.uffd.giveZeros(address).how !== 'again';
  }

  /** Reads what has happened. Answers the addresses that somebody waits for, and the children. */
  look(): { faults: number[]; children: LazyProcess[] } {
    const faults: number[] = [];
    const children: LazyProcess[] = [];
    // The kernel tells of faults before it tells of changes that may be older: pages go by what is true now.
    for (const event of this.uffd.events()) {
      if (event.event === 'fault') faults.push(event.address);
      else if (event.event === 'fork')
        children.push(new LazyProcess(this.pid, new Uffd(event.fd), this.dump, this.#missing.clone()));
      else this.#change(event);
    }
    return { faults, children };
  }

  /**
   * What was emptied stays registered, and its pages are zeros when they are touched. Left to the kernel, it would be an area of its own, and a
   * program that moves what it takes for one area could not.
   */
  #change(event: Exclude<UffdEvent, { event: 'fault' | 'fork' }>): void {
    if (event.event === 'remap') this.#missing.move(event.from, event.to, event.bytes);
    else this.#missing.drop(event.start, event.end);
  }

  /** Gives as much as is missing of what the dump has from `dumped` on. Answers whether that was all: if not, look, and give again. */
  give(dumped: number, pages: Buffer): boolean {
    for (const { start, end, dumped: from } of this.#missing.of(dumped, pages.length)) {
      const offset = from - dumped;
      for (let at = start; at < end; ) {
        const bytes = this.#giveSome(at, pages.subarray(offset + at - start, offset + end - start));
        if (bytes === 0) return this.isWhole;
        at += bytes;
      }
    }
    return true;
  }

  /** Answers how many bytes are missing no longer. */
  #giveSome(address: number, pages: Buffer): number {
    let given = this.uffd.give(address, pages);
    if (given.how === 'absent') {
      // Several areas of memory, which take their pages apart; or none at all.
      given = this.uffd.give(address, pages.subarray(0, PAGE_BYTES));
      if (given.how === 'absent') given = this.#absent(address, pages);
    }
    if (given.how === 'gone') this.#missing = new Missing([]);
    else this.#missing.drop(address, address + given.bytes);
    return given.bytes;
  }

  /**
   * Memory that is moving away is absent for a moment, too; its move was begun before we were told `absent`, and lasts until we read of it,
   * so asking once more gives `again`. Whatever is absent twice has nobody who could touch it.
   */
  #absent(address: number, pages: Buffer) {
    const again = this.uffd.give(address, pages.subarray(0, PAGE_BYTES));
    return again.how === 'absent' ? { how: 'given' as const, bytes: PAGE_BYTES } : again;
  }
}
