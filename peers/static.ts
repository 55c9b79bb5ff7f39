/** Membership by the configuration's list of addresses: fixed, with each neighbour's state as its link sees it. */
import type { ClientTls } from './exchange/tls.ts';
import { Link } from './link.ts';
import type { Log, Membership, Peer } from './types.ts';

export interface StaticOptions {
  addresses: readonly string[];
  tls: ClientTls;
  /** This node's own name: an address that answers with it is no neighbour. */
  self: string;
  log: Log;
}

export class StaticMembership implements Membership {
  readonly links: readonly Link[];
  readonly #listeners = new Set<() => void>();

  constructor({ addresses, ...options }: StaticOptions) {
    const onChange = () => {
      for (const listener of this.#listeners) listener();
    };
    this.links = [...new Set(addresses)].map((address) => new Link({ address, ...options, onChange }));
  }

  start(): void {
    for (const link of this.links) link.start();
  }

  stop(): void {
    for (const link of this.links) link.stop();
  }

  peers(): readonly Peer[] {
    return this.links.filter(({ state }) => state.kind !== 'self').map(peerOf);
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function peerOf({ address, name, state, meter }: Link): Peer {
  return {
    address,
    name,
    state: state.kind === 'up' || state.kind === 'down' ? state.kind : 'unknown',
    rttMs: meter.rttMs,
    bytesPerSecond: meter.bytesPerSecond,
  };
}
