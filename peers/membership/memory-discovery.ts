/**
 * Membership without a network, for tests and simulators: several twins on one bus, which can be split. Announcing, suspecting and
 * forgetting are the real thing (presence.ts, roster.ts) on the bus's clock; only messages take no time, and are never lost but
 * by a split.
 */
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import type { Announcement } from './announcement.ts';
import { checkPublication } from './limits.ts';
import { Presence } from './presence.ts';
import type { Heard } from './roster.ts';
import type { Discovery, Member } from './types.ts';

type Listener = (bytes: Uint8Array, fromName: string) => void;

export class MemoryBus {
  readonly clock: Clock;
  readonly log: Log;
  readonly #twins = new Set<MemoryDiscovery>();
  #sides = new Map<string, number>();

  constructor(clock: Clock, log: Log) {
    this.clock = clock;
    this.log = log;
  }

  join(name: string, capacityBytes = 1): MemoryDiscovery {
    const twin = new MemoryDiscovery(this, name, capacityBytes);
    for (const other of this.reachable(twin)) twin.exchange(other);
    this.#twins.add(twin);
    return twin;
  }

  /** Nothing passes any more between nodes of different groups; who is in none is in a group of its own. */
  split(...groups: readonly (readonly string[])[]): void {
    this.#sides = new Map(groups.flatMap((names, side) => names.map((name) => [name, side + 1] as const)));
    for (const { name } of this.#twins)
      if (!this.#sides.has(name)) this.#sides.set(name, this.#sides.size + groups.length + 1);
  }

  /** All are together again, and meet. */
  merge(): void {
    this.#sides.clear();
    for (const twin of this.#twins) for (const other of this.reachable(twin)) twin.exchange(other);
  }

  reachable(from: MemoryDiscovery): MemoryDiscovery[] {
    const side = this.#sides.get(from.name);
    return [...this.#twins].filter((twin) => twin !== from && this.#sides.get(twin.name) === side);
  }

  remove(twin: MemoryDiscovery): void {
    this.#twins.delete(twin);
  }
}

export class MemoryDiscovery implements Discovery {
  readonly name: string;
  readonly #bus: MemoryBus;
  readonly #presence: Presence;
  readonly #onChange = new Set<() => void>();
  readonly #topics = new Map<string, Set<Listener>>();
  /** By the bytes that stand for it on the bus. */
  readonly #heard = new WeakMap<Buffer, Heard>();

  constructor(bus: MemoryBus, name: string, capacityBytes: number) {
    this.#bus = bus;
    this.name = name;
    this.#presence = new Presence({
      self: { name, service: `${name}:7400`, address: `${name}:7401`, capacityBytes },
      seal: (announcement) => this.#seal(announcement),
      send: (own) => {
        for (const twin of bus.reachable(this)) bus.clock.after(0, () => twin.hear(own, 0));
      },
      onChange: () => {
        for (const listener of [...this.#onChange]) listener();
      },
      clock: bus.clock,
      log: bus.log,
    });
  }

  /** Both learn what the other knows, as nodes do that connect. */
  exchange(other: MemoryDiscovery): void {
    const [mine, theirs] = [this.#news(other), other.#news(this)];
    for (const { heard, agoMs } of mine) other.hear(heard, agoMs);
    for (const { heard, agoMs } of theirs) this.hear(heard, agoMs);
  }

  hear(heard: Heard, agoMs: number): void {
    this.#heard.set(heard.bytes, heard);
    this.#presence.hear(heard, agoMs);
  }

  members(): readonly Member[] {
    return this.#presence.members();
  }

  onChange(listener: () => void): () => void {
    const own = () => listener();
    this.#onChange.add(own);
    return () => this.#onChange.delete(own);
  }

  async publish(topic: string, bytes: Uint8Array): Promise<void> {
    checkPublication(topic, bytes);
    for (const twin of this.#bus.reachable(this)) {
      const copy = bytes.slice();
      this.#bus.clock.after(0, () => twin.#deliver(topic, copy, this.name));
    }
  }

  subscribe(topic: string, listener: Listener): () => void {
    checkPublication(topic);
    const listeners = this.#topics.get(topic) ?? new Set();
    const own: Listener = (bytes, fromName) => listener(bytes, fromName);
    this.#topics.set(topic, listeners.add(own));
    return () => listeners.delete(own);
  }

  setCapacity(capacityBytes: number): void {
    this.#presence.setCapacity(capacityBytes);
  }

  async leave(): Promise<void> {
    this.#presence.leave();
  }

  async stop(): Promise<void> {
    this.#presence.stop();
    this.#bus.remove(this);
  }

  #deliver(topic: string, bytes: Uint8Array, fromName: string): void {
    for (const listener of this.#topics.get(topic) ?? []) listener(bytes, fromName);
  }

  #news(other: MemoryDiscovery): { heard: Heard; agoMs: number }[] {
    const news = this.#presence.newerThan(other.#presence.digest());
    return news.map(({ bytes, agoMs }) => ({ heard: this.#heard.get(bytes)!, agoMs }));
  }

  #seal(announcement: Announcement): Heard {
    const heard = { name: this.name, peerId: this.name, announcement, bytes: Buffer.alloc(0) };
    this.#heard.set(heard.bytes, heard);
    return heard;
  }
}
