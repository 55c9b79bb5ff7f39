/**
 * Serves the memory of restored processes from CRIU's images: pages that somebody waits for at once and side by side, the rest behind them, on
 * from where the last one was. Nothing is taken for zeros that the dump has: whatever cannot be read ends it with an error, and the processes
 * go on waiting.
 *
 * CRIU's own daemon, which this replaces, reads one thing after the other: who waits for a page waits for megabytes of others first.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { PAGE_BYTES } from '../blocks/types.ts';
import type { Dump } from './dump-memory.ts';
import { LazyProcess } from './lazy-process.ts';
import type { Handed } from './lazy-socket.ts';
import { Missing } from './missing.ts';
import { readable } from './poll.ts';
import type { Fault } from './touched.ts';
import { Uffd } from './uffd.ts';

/** What is read behind the faults at once: little while it comes from afar or somebody waits, much once it is here. */
const CHUNK_BYTES = { min: 64 << 10, max: 1 << 20 };
const SLOW_MS = 10;
/** What comes with a page that somebody waits for, once he has it: it is mostly in the same block. */
const AROUND_BYTES = 64 << 10;
/** At once: a read that waits takes a thread, and those are for the pages that are waited for. */
const AROUND_MAX = 8;
/** Between looks at which descriptors there are, and while they are still handed over. */
const LOOK_MS = 20;
const LOOK_FIRST_MS = 4;
const HOLD_MS = 1000;
/** A change of which the kernel has not told yet. */
const SOON_MS = 1;
const FAULTS_MAX = 100_000;

export class Pager {
  readonly #open: (pid: number) => Promise<Dump>;
  readonly #hold: (uffds: readonly number[]) => void;
  readonly #dumps: Dump[] = [];
  readonly #processes: LazyProcess[] = [];
  readonly #held = Promise.withResolvers<void>();
  readonly #failed = Promise.withResolvers<never>();
  /** In the order of first use. */
  readonly faults: Fault[] = [];
  /** Where the last fault was. */
  #last: { process: LazyProcess; address: number } | undefined;
  #arounds = 0;
  #faultMs = Number.NEGATIVE_INFINITY;
  #looked = Promise.withResolvers<void>();
  #isOver = false;
  /** How many pages somebody waits for, since when anybody does, and how long it has been before. */
  #waits = { pages: 0, sinceMs: 0, beforeMs: 0 };
  #heldMs = Number.POSITIVE_INFINITY;
  #finishedMs = Number.POSITIVE_INFINITY;
  #isHeld = true;

  /** `hold` is given all descriptors before any process runs, and again, at most once a second, when others have come by forks. */
  constructor(open: (pid: number) => Promise<Dump>, hold: (uffds: readonly number[]) => void) {
    this.#open = open;
    this.#hold = hold;
    this.#failed.promise.catch(() => {});
  }

  /** Resolves when all descriptors are held that CRIU hands over. */
  get held(): Promise<void> {
    return this.#held.promise;
  }

  /** How long the processes have run, in milliseconds: while somebody waits for a page, that does not count. */
  get ranMs(): number {
    const { pages, sinceMs, beforeMs } = this.#waits;
    const nowMs = performance.now();
    return Math.max(0, nowMs - this.#finishedMs - beforeMs - (pages > 0 ? nowMs - sinceMs : 0));
  }

  #waiting(pages: 1 | -1): void {
    const waits = this.#waits;
    const nowMs = performance.now();
    if (waits.pages === 0) waits.sinceMs = nowMs;
    waits.pages += pages;
    if (waits.pages === 0) waits.beforeMs += nowMs - waits.sinceMs;
  }

  /** Resolves when no memory is missing any more. Rejects when some cannot be had; the processes wait on, until `close`. */
  async serve(handed: AsyncIterable<Handed>): Promise<void> {
    void this.#watch();
    const all = async () => {
      if (!(await this.#take(handed))) throw new Error("CRIU's restore ended early");
      await this.#bringRest();
    };
    await Promise.race([all(), this.#failed.promise]);
  }

  /** Ends it: whoever waits now is given zeros by the kernel. Reads that are under way end when the images go. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#looked.promise;
    for (const process of this.#processes.splice(0)) process.close();
    for (const dump of this.#dumps.splice(0)) dump.close().catch(() => {});
  }

  /** Whether CRIU has handed over all; nothing at all is all, too. */
  async #take(handed: AsyncIterable<Handed>): Promise<boolean> {
    for await (const one of handed) {
      if (one === 'finished') {
        this.#holdAll();
        this.#finishedMs = performance.now();
        this.#waits = { ...this.#waits, sinceMs: this.#finishedMs, beforeMs: 0 };
        return true;
      }
      const dump = await this.#open(one.pid);
      this.#dumps.push(dump);
      this.#processes.push(
        new LazyProcess(one.pid, new Uffd(one.uffd), dump, new Missing(dump.lazyRanges())),
      );
    }
    return this.#processes.length === 0;
  }

  async #watch(): Promise<void> {
    try {
      while (!this.#isOver) {
        const ready = new Set(
          await readable(
            this.#processes.map(({ uffd }) => uffd.fd),
            this.#finishedMs === Number.POSITIVE_INFINITY ? LOOK_FIRST_MS : LOOK_MS,
          ),
        );
        for (const process of this.#processes.filter(({ uffd }) => ready.has(uffd.fd))) this.#look(process);
        if (!this.#isHeld && performance.now() > this.#heldMs + HOLD_MS) {
          this.#forget();
          this.#holdAll();
        }
        this.#looked.resolve();
        if (!this.#isOver) this.#looked = Promise.withResolvers();
      }
    } catch (error) {
      this.#failed.reject(error);
    } finally {
      this.#looked.resolve();
    }
  }

  #holdAll(): void {
    this.#hold(this.#processes.map(({ uffd }) => uffd.fd));
    this.#held.resolve();
    this.#isHeld = true;
    this.#heldMs = performance.now();
  }

  /** Whoever has ended needs nothing more. */
  #forget(): void {
    for (const gone of this.#processes.filter(({ uffd }) => uffd.isGone())) {
      this.#processes.splice(this.#processes.indexOf(gone), 1);
      gone.close();
    }
  }

  #look(process: LazyProcess): void {
    const { faults, children } = process.look();
    this.#processes.push(...children);
    if (children.length > 0) this.#isHeld = false;
    for (const address of faults)
      this.#fault(process, address).catch((error: unknown) => this.#failed.reject(error));
  }

  async #fault(process: LazyProcess, address: number): Promise<void> {
    const dumped = process.dumpedAt(address);
    if (dumped === undefined) return this.#untouched(process, address);
    if (process.awaited.has(dumped)) return;
    if (this.faults.length < FAULTS_MAX) this.faults.push({ pid: process.pid, address: dumped });
    this.#last = { process, address };
    this.#faultMs = performance.now();
    process.awaited.add(dumped);
    this.#waiting(1);
    try {
      const page = Buffer.allocUnsafeSlow(PAGE_BYTES);
      await process.dump.read(dumped, page);
      await this.#give(process, dumped, page);
    } finally {
      process.awaited.delete(dumped);
      this.#waiting(-1);
    }
    await this.#bringAround(process, address);
  }

  /** A program that was frozen touches many pages of few places first, and each wait costs more than a copy. */
  async #bringAround(process: LazyProcess, address: number): Promise<void> {
    if (this.#arounds === AROUND_MAX) return;
    this.#arounds++;
    try {
      const end = address - (address % AROUND_BYTES) + AROUND_BYTES;
      for (let at = end - AROUND_BYTES; at < end; ) {
        const range = process.next(at, end - at);
        if (!range || range.start < at || range.start >= end) return;
        const pages = Buffer.allocUnsafeSlow(Math.min(range.end, end) - range.start);
        await process.dump.read(range.dumped, pages);
        await this.#give(process, range.dumped, pages);
        at = range.start + pages.length;
      }
    } finally {
      this.#arounds--;
    }
  }

  /** A page that is not in the dump. */
  async #untouched(process: LazyProcess, address: number): Promise<void> {
    if (process.giveZeros(address)) return;
    await this.#lookedAgain();
    return this.#fault(process, address);
  }

  async #give(process: LazyProcess, dumped: number, pages: Buffer): Promise<void> {
    while (!process.give(dumped, pages)) await this.#lookedAgain();
  }

  async #lookedAgain(): Promise<void> {
    await Promise.race([this.#looked.promise, sleep(SOON_MS)]);
  }

  async #bringRest(): Promise<void> {
    const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES.max);
    let bytes = CHUNK_BYTES.min;
    for (let next = this.#next(bytes); next; next = this.#next(bytes)) {
      const { process, range } = next;
      const pages = buffer.subarray(0, range.end - range.start);
      const sinceMs = performance.now();
      await process.dump.read(range.dumped, pages);
      await this.#give(process, range.dumped, pages);
      const isQuick = performance.now() - sinceMs < SLOW_MS;
      bytes = isQuick && this.#faultMs < sinceMs ? Math.min(bytes * 2, CHUNK_BYTES.max) : CHUNK_BYTES.min;
    }
  }

  /** Around the last fault first: what is used next is often near. */
  #next(bytes: number) {
    const last = this.#last;
    const process =
      last && !last.process.isWhole ? last.process : this.#processes.find((one) => !one.isWhole);
    if (!process) return undefined;
    const address = last?.process === process ? last.address : 0;
    return { process, range: process.next(address, bytes)! };
  }
}
