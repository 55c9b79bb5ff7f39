/** Nodes in one process that have real libp2p on loopback, for tests; and a member that does what it wants. */
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { Bed, type LogTwin, logTwin } from '../bed.twin.ts';
import { type Clock, realClock } from '../clock.ts';
import type { Identity } from '../identity/identity.ts';
import { refusals } from '../refusals.ts';
import { Certificates, ownKey } from './certificates.ts';
import { Host } from './host.ts';
import { type Membership, type MembershipOptions, startMembership } from './membership.ts';

export interface Started {
  node: Membership;
  identity: Identity;
  log: LogTwin;
}

export class Cluster {
  readonly bed: Bed;
  readonly #t: Test;
  readonly #clock: Clock;
  readonly #identities = new Map<string, Promise<Identity>>();

  private constructor(t: Test, bed: Bed, clock: Clock) {
    this.#t = t;
    this.bed = bed;
    this.#clock = clock;
  }

  static async make(t: Test, clock: Clock = realClock): Promise<Cluster> {
    return new Cluster(t, await Bed.make(t), clock);
  }

  /** The same one each time. */
  identity(name: string): Promise<Identity> {
    const identity = this.#identities.get(name) ?? this.bed.identity(name);
    this.#identities.set(name, identity);
    return identity;
  }

  async start(
    name: string,
    bootstrap: readonly string[] = [],
    more: Partial<MembershipOptions> = {},
  ): Promise<Started> {
    const log = logTwin();
    const identity = await this.identity(name);
    const node = await startMembership({
      identity,
      listen: '127.0.0.1:0',
      service: `${name}:7400`,
      capacityBytes: name.length,
      bootstrap,
      mdns: false,
      isRevoked: () => false,
      clock: this.#clock,
      log,
      ...more,
    });
    this.#t.teardown(() => node.stop());
    return { node, identity, log };
  }

  /** libp2p with an identity, and nothing on top. */
  async host(identity: Identity): Promise<{ host: Host; log: LogTwin; key: ReturnType<typeof ownKey> }> {
    const log = logTwin();
    const clock = this.#clock;
    const certificates = new Certificates({ identity, isRevoked: () => false, clock });
    const refused = refusals(log, clock);
    const host = await Host.start({
      identity,
      certificates,
      refused,
      listen: '127.0.0.1:0',
      mdns: false,
      clock,
      log,
    });
    this.#t.teardown(() => host.stop());
    return { host, log, key: ownKey(identity) };
  }
}

/** Waits for this to hold; `tap` bounds how long. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(10);
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as { port: number };
  await new Promise((closed) => server.close(closed));
  return port;
}

export function reasons({ lines }: LogTwin): string[] {
  return lines.map(([, { reason }]) => String(reason ?? ''));
}
