/**
 * The links to all members that may answer: made when a member is heard of, ended when it is gone, has left, or is reached
 * elsewhere. `all` is one array for good, changed in place, so whoever holds it sees the members of the moment.
 */
import type { Clock } from './clock.ts';
import type { ClientTls } from './exchange/tls.ts';
import { Link } from './link.ts';
import { isOver } from './membership/roster.ts';
import type { Member } from './membership/types.ts';
import type { Log } from './types.ts';

/** What of a member matters here. */
export type Reachable = Pick<Member, 'name' | 'service' | 'state'>;

export interface LinksOptions {
  tls: ClientTls;
  clock: Clock;
  log: Log;
  /** After a link has come, gone or changed its state. */
  onChange: () => void;
}

export class Links {
  readonly all: Link[] = [];
  readonly #options: LinksOptions;

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  of(name: string): Link | undefined {
    return this.all.find((link) => link.name === name);
  }

  /** Suspects keep their link: it finds out soonest that they are there again. */
  follow(members: readonly Reachable[]): void {
    const wanted = new Map(
      members.filter(({ state }) => !isOver(state)).map(({ name, service }) => [name, service]),
    );
    const ended = this.all.filter(({ name, address }) => wanted.get(name) !== address);
    for (const link of ended) {
      link.stop();
      this.all.splice(this.all.indexOf(link), 1);
    }
    const have = new Set(this.all.map(({ name }) => name));
    const come = [...wanted].filter(([name]) => !have.has(name));
    for (const [name, address] of come) this.#open(name, address);
    if (ended.length + come.length > 0) this.#options.onChange();
  }

  stop(): void {
    for (const link of this.all.splice(0)) link.stop();
  }

  #open(name: string, address: string): void {
    const link = new Link({ name, address, ...this.#options });
    this.all.push(link);
    link.start();
  }
}
