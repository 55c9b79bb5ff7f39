/**
 * Who is there, as far as this node has heard. Pure: announcements come in, checked; time comes from the clock.
 *
 * - Of each name only the latest announcement counts, by incarnation, then sequence: what is older, or heard before, changes
 *   nothing, not even how long the member has been silent. So a repeated announcement keeps nobody alive.
 * - alive -> suspect -> gone by silence alone; any later announcement makes alive (or left, if it says so).
 * - Who is gone or has left is kept for FORGET_AFTER_MS, so that an old announcement of it is known as one.
 */
import type { Clock } from '../clock.ts';
import type { Age, Announcement } from './announcement.ts';
import {
  FORGET_AFTER_MS,
  GONE_AFTER_MS,
  MAX_MEMBERS,
  SUSPECT_AFTER_MISSED,
  SWEEP_EVERY_MS,
} from './limits.ts';
import type { Member, MemberState } from './types.ts';

/** A checked announcement and whose it is. */
export interface Heard {
  name: string;
  peerId: string;
  announcement: Announcement;
  /** As signed. */
  bytes: Buffer;
}

interface Entry {
  heard: Heard;
  heardAtMs: number;
  member: Member;
}

/** Negative when `a` is the earlier one. */
export function compareAge(a: Age, b: Age): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}

export class Roster {
  readonly #clock: Pick<Clock, 'now' | 'after'>;
  readonly #onChange: () => void;
  readonly #goneAfterMs: number;
  readonly #entries = new Map<string, Entry>();
  #members: readonly Member[] | undefined;
  #cancelSweep: () => void;

  /** `goneAfterMs`: the silence after which a member is gone. */
  constructor(
    clock: Pick<Clock, 'now' | 'after'>,
    onChange: () => void,
    goneAfterMs: number = GONE_AFTER_MS,
  ) {
    this.#goneAfterMs = goneAfterMs;
    this.#clock = clock;
    this.#onChange = onChange;
    this.#cancelSweep = clock.after(SWEEP_EVERY_MS, () => this.#sweep());
  }

  stop(): void {
    this.#cancelSweep();
  }

  members(): readonly Member[] {
    this.#members ??= [...this.#entries.values()]
      .map(({ member }) => member)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return this.#members;
  }

  get(name: string): Heard | undefined {
    return this.#entries.get(name)?.heard;
  }

  /**
   * Takes an announcement that was said about `agoMs` ago; answers whether it was news. Whoever passes it on may be wrong about
   * the time: a member known already is never more silent for it than it was.
   */
  hear(heard: Heard, agoMs = 0): boolean {
    const { name, announcement } = heard;
    const known = this.#entries.get(name);
    if (known && compareAge(announcement, known.heard.announcement) <= 0) return false;
    if (!known && this.#entries.size >= MAX_MEMBERS && !this.#forgetOne()) return false;
    const nowMs = this.#clock.now();
    const heardAtMs = Math.max(nowMs - agoMs, known?.heardAtMs ?? Number.NEGATIVE_INFINITY);
    const member = memberOf(heard, this.#stateAt(nowMs, heardAtMs, announcement));
    this.#entries.set(name, { heard, heardAtMs, member });
    if (!known || !isSame(member, known.member)) this.#changed();
    return true;
  }

  /**
   * What somebody may need who knows `digest`: announcements with their age. Who is gone is no news to somebody who never knew
   * it, but it is to itself: that is how a node learns of an earlier life of its own.
   */
  newerThan(digest: ReadonlyMap<string, Age>): { bytes: Buffer; agoMs: number }[] {
    const nowMs = this.#clock.now();
    const news: { bytes: Buffer; agoMs: number }[] = [];
    for (const { heard, heardAtMs, member } of this.#entries.values()) {
      const theirs = digest.get(heard.name);
      if (theirs ? compareAge(heard.announcement, theirs) <= 0 : member.state.kind === 'gone') continue;
      news.push({ bytes: heard.bytes, agoMs: nowMs - heardAtMs });
    }
    return news;
  }

  /** The latest that was heard of each, whatever became of it. */
  digest(): Map<string, Age> {
    const ages = [...this.#entries.values()].map(({ heard }) => [heard.name, heard.announcement] as const);
    return new Map(ages);
  }

  /** These are members no more, as if they had never been heard of. */
  forget(names: readonly string[]): void {
    const known = names.filter((name) => this.#entries.delete(name));
    if (known.length > 0) this.#changed();
  }

  #sweep(): void {
    this.#cancelSweep = this.#clock.after(SWEEP_EVERY_MS, () => this.#sweep());
    const nowMs = this.#clock.now();
    let changed = false;
    for (const [name, entry] of this.#entries) {
      const { heard, heardAtMs, member } = entry;
      const state = this.#stateAt(nowMs, heardAtMs, heard.announcement);
      if (isOver(state) && nowMs - heardAtMs > FORGET_AFTER_MS) this.#entries.delete(name);
      else if (state.kind === member.state.kind) continue;
      else entry.member = memberOf(heard, state);
      changed = true;
    }
    if (changed) this.#changed();
  }

  /** Makes room by whom is missed least. */
  #forgetOne(): boolean {
    let oldest: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (!isOver(entry.member.state)) continue;
      if (!oldest || entry.heardAtMs < oldest.heardAtMs) oldest = entry;
    }
    return oldest !== undefined && this.#entries.delete(oldest.heard.name);
  }

  #stateAt(nowMs: number, heardAtMs: number, announcement: Announcement): MemberState {
    if (announcement.leaving) return { kind: 'left', sinceMs: heardAtMs };
    const suspectMs = heardAtMs + suspectAfterMs(announcement);
    const goneMs = Math.max(suspectMs, heardAtMs + this.#goneAfterMs);
    if (nowMs >= goneMs) return { kind: 'gone', sinceMs: goneMs };
    if (nowMs >= suspectMs) return { kind: 'suspect', sinceMs: suspectMs };
    return { kind: 'alive' };
  }

  #changed(): void {
    this.#members = undefined;
    this.#onChange();
  }
}

/** What it kept is to be kept by others, and it does not answer. A suspect may still be there. */
export function isOver({ kind }: MemberState): boolean {
  return kind === 'gone' || kind === 'left';
}

/** How long after an announcement its node is suspect: half an interval later than the last one missed was due. */
export function suspectAfterMs({ everyMs }: Pick<Announcement, 'everyMs'>): number {
  return (SUSPECT_AFTER_MISSED + 0.5) * everyMs;
}

function memberOf({ name, peerId, announcement }: Heard, state: MemberState): Member {
  const { service, address, capacityBytes, incarnation } = announcement;
  return { name, peerId, service, address, capacityBytes, incarnation, state };
}

function isSame(a: Member, b: Member): boolean {
  return (
    a.peerId === b.peerId &&
    a.service === b.service &&
    a.address === b.address &&
    a.capacityBytes === b.capacityBytes &&
    a.incarnation === b.incarnation &&
    a.state.kind === b.state.kind
  );
}
