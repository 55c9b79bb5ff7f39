/** Everybody that could be dialled: configured addresses, what multicast DNS has found, and all members but those who left. */
import type { Clock } from '../clock.ts';
import type { Target } from './dialer.ts';
import { DIAL_SECOND_AFTER_MS, MAX_FOUND_PEERS } from './limits.ts';
import type { Member } from './types.ts';

export interface TargetsOptions {
  self: { name: string; address: string };
  bootstrap: readonly string[];
  members: () => readonly Member[];
  isConnected: (peerId: string) => boolean;
  clock: Pick<Clock, 'now'>;
}

export class Targets {
  readonly #options: TargetsOptions;
  /** When each member was first seen without a connection, by peer id. */
  readonly #apartMs = new Map<string, number>();
  /** Addresses by peer id, the latest last. */
  readonly #found = new Map<string, string>();

  constructor(options: TargetsOptions) {
    this.#options = options;
  }

  found(peerId: string, address: string): void {
    this.#found.delete(peerId);
    this.#found.set(peerId, address);
    if (this.#found.size > MAX_FOUND_PEERS) this.#found.delete(this.#found.keys().next().value!);
  }

  /** `answered` tells who has answered at a configured address. */
  list(answered: (address: string) => string | undefined): Target[] {
    const { self, bootstrap, members } = this.#options;
    const known = new Set(members().map(({ peerId }) => peerId));
    const all = members().filter(({ state }) => state.kind !== 'left');
    const alive = new Set<string | undefined>();
    for (const { state, peerId } of all) if (state.kind === 'alive') alive.add(peerId);
    this.#noteApart(all);
    const configured = bootstrap
      .filter((address) => address !== self.address)
      .map((address) => ({ address, fromMs: 0, isAlive: alive.has(answered(address)) }));
    const found = [...this.#found]
      .filter(([peerId]) => !known.has(peerId))
      .map(([peerId, address]) => ({ address, peerId, fromMs: 0, isAlive: false }));
    const others = all.map(({ address, peerId, name }) => {
      const fromMs = (this.#apartMs.get(peerId) ?? 0) + (self.name < name ? 0 : DIAL_SECOND_AFTER_MS);
      return { address, peerId, fromMs, isAlive: alive.has(peerId) };
    });
    return [...configured, ...found, ...others];
  }

  #noteApart(members: readonly Member[]): void {
    const { isConnected, clock } = this.#options;
    const apart = members.map(({ peerId }) => peerId).filter((peerId) => !isConnected(peerId));
    const now = new Set(apart);
    for (const peerId of this.#apartMs.keys()) if (!now.has(peerId)) this.#apartMs.delete(peerId);
    for (const peerId of apart) if (!this.#apartMs.has(peerId)) this.#apartMs.set(peerId, clock.now());
  }
}
