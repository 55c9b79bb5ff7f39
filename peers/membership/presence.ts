/**
 * A node among the others: its own announcements, and the roster of theirs. Pure apart from what it is given to send; shared by
 * the implementation on libp2p and its twin in memory.
 *
 * A node whose clock went back, as without a battery, starts with an incarnation lower than its last one, and nobody would
 * listen. It hears its own old announcement from the first neighbour, and then goes on above that.
 */
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import type { Age, Announcement } from './announcement.ts';
import {
  ANNOUNCE_APART_MS,
  ANNOUNCE_EVERY_MS,
  ANNOUNCE_EVERY_MS_PER_MEMBER,
  MAX_ANNOUNCE_EVERY_MS,
} from './limits.ts';
import { compareAge, type Heard, Roster } from './roster.ts';
import type { Member } from './types.ts';

export interface PresenceOptions {
  /** What this node says of itself. */
  self: Pick<Announcement, 'service' | 'address' | 'capacityBytes'> & { name: string };
  /** Signs. */
  seal: (announcement: Announcement) => Heard;
  /** Tells all others. */
  send: (own: Heard) => void;
  onChange: () => void;
  /** The silence after which a member is gone; default GONE_AFTER_MS. */
  goneAfterMs?: number | undefined;
  clock: Clock;
  log: Log;
}

export class Presence {
  readonly #options: PresenceOptions;
  readonly #roster: Roster;
  #own: Heard;
  #announcedMs = Number.NEGATIVE_INFINITY;
  #isLeaving = false;
  #capacityBytes: number;
  #cancel = () => {};

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#capacityBytes = options.self.capacityBytes;
    this.#roster = new Roster(options.clock, options.onChange, options.goneAfterMs);
    this.#own = this.#sealed({ incarnation: Math.floor(options.clock.wall()), sequence: 0 });
    this.#announceIn(options.clock.random() * this.#own.announcement.everyMs);
  }

  members(): readonly Member[] {
    return this.#roster.members();
  }

  /** Somebody is there to hear it. */
  announceSoon(): void {
    const sinceMs = this.#options.clock.now() - this.#announcedMs;
    this.#announceIn(Math.max(0, ANNOUNCE_APART_MS - sinceMs));
  }

  /** These are members no more. */
  forget(names: readonly string[]): void {
    this.#roster.forget(names);
  }

  /** What this node has room for has changed. */
  setCapacity(capacityBytes: number): void {
    this.#capacityBytes = capacityBytes;
    this.announceSoon();
  }

  /** The last announcement that this node makes. */
  leave(): void {
    this.#isLeaving = true;
    this.#announce();
    this.stop();
  }

  stop(): void {
    this.#cancel();
    this.#roster.stop();
  }

  /** The latest that is known of a member. */
  get(name: string): Heard | undefined {
    return name === this.#own.name ? this.#own : this.#roster.get(name);
  }

  /** Takes a checked announcement; answers whether it was news. */
  hear(heard: Heard, agoMs = 0): boolean {
    if (heard.name !== this.#own.name) return this.#roster.hear(heard, agoMs);
    if (compareAge(heard.announcement, this.#own.announcement) > 0) this.#goBeyond(heard.announcement);
    return false;
  }

  digest(): Map<string, Age> {
    return this.#roster.digest().set(this.#own.name, this.#own.announcement);
  }

  /** This node's own announcement first. */
  newerThan(digest: ReadonlyMap<string, Age>): { bytes: Buffer; agoMs: number }[] {
    const theirs = digest.get(this.#own.name);
    const isNews = !theirs || compareAge(this.#own.announcement, theirs) > 0;
    const own = isNews ? [{ bytes: this.#own.bytes, agoMs: 0 }] : [];
    return [...own, ...this.#roster.newerThan(digest)];
  }

  #goBeyond({ incarnation }: Age): void {
    const { name } = this.#own;
    this.#options.log.warn(
      { name, incarnation },
      'this node was announced by an earlier life or by a double',
    );
    this.#own = this.#sealed({ incarnation: incarnation + 1, sequence: 0 });
    this.announceSoon();
  }

  #announceIn(ms: number): void {
    this.#cancel();
    if (this.#isLeaving) return;
    this.#cancel = this.#options.clock.after(ms, () => this.#announce());
  }

  #announce(): void {
    const { clock, send } = this.#options;
    const { incarnation, sequence } = this.#own.announcement;
    this.#own = this.#sealed({ incarnation, sequence: sequence + 1 });
    this.#announcedMs = clock.now();
    // A little earlier or later each time, so that nodes that start together do not speak together.
    this.#announceIn(this.#own.announcement.everyMs * (0.9 + 0.2 * clock.random()));
    send(this.#own);
  }

  #sealed(age: Age): Heard {
    const { service, address } = this.#options.self;
    const capacityBytes = this.#capacityBytes;
    const everyMs = Math.min(
      MAX_ANNOUNCE_EVERY_MS,
      Math.max(ANNOUNCE_EVERY_MS, this.#roster.members().length * ANNOUNCE_EVERY_MS_PER_MEMBER),
    );
    const leaving = this.#isLeaving;
    return this.#options.seal({ ...age, everyMs, capacityBytes, leaving, service, address });
  }
}
