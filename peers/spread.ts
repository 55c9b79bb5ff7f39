/**
 * Spreads the directory's records: what this node says goes to all by gossip, and what it has missed it takes from the directories
 * of its neighbours: soon after a neighbour has come, and from one after the other as time goes by.
 */
import type { Clock } from './clock.ts';
import type { Directory } from './directory/directory.ts';
import { Reconciler } from './directory/reconcile.ts';
import { blamed, RecordError } from './directory/refusal.ts';
import { decodeRecord, encodeRecord } from './directory/service.ts';
import type { Held, SignedRecord, SignerKey } from './directory/types.ts';
import { failureOf, type PeerClient } from './exchange/client.ts';
import { WireError } from './exchange/wire.ts';
import type { Link } from './link.ts';
import { MAX_MESSAGE_BYTES } from './membership/limits.ts';
import type { Discovery } from './membership/types.ts';
import type { Log } from './types.ts';

const TOPIC = 'records';
/** After a neighbour has come; by chance, so that not all ask it at once. */
const FIRST_PULL_MS = 500;
const PULL_EVERY_MS = 30_000;
const CALL_TIMEOUT_MS = 10_000;

export interface SpreadOptions {
  directory: Directory;
  discovery: Pick<Discovery, 'publish' | 'subscribe'>;
  links: readonly Link[];
  /** This node's own key: what it has signed it tells all. */
  key: SignerKey;
  clock: Clock;
  log: Log;
}

export class Spread {
  readonly #options: SpreadOptions;
  readonly #reconciler: Reconciler;
  readonly #met = new WeakSet<PeerClient>();
  readonly #pulling = new Set<Link>();
  readonly #stops: (() => void)[];
  readonly #stopping = new AbortController();
  #cancelNext = () => {};

  constructor(options: SpreadOptions) {
    const { directory, discovery } = options;
    this.#options = options;
    this.#reconciler = new Reconciler(options);
    this.#stops = [
      directory.onAdd((held, record) => this.#tell(held, record)),
      discovery.subscribe(TOPIC, (bytes, from) => void this.#hear(bytes, from)),
    ];
    this.#pullLater();
  }

  /** Links have come, gone or changed their state. */
  linksChanged(): void {
    for (const link of this.#options.links) {
      const { client } = link;
      if (!client || this.#met.has(client)) continue;
      this.#met.add(client);
      const { clock } = this.#options;
      clock.after(clock.random() * FIRST_PULL_MS, () => void this.#pull(link));
    }
  }

  stop(): void {
    this.#stopping.abort();
    this.#cancelNext();
    for (const stop of this.#stops) stop();
  }

  /** Own records, and revocations, which come by hand to one node and concern all. */
  #tell({ signer, kind }: Held, record: SignedRecord): void {
    const { key, discovery, log } = this.#options;
    if (signer !== key && kind !== 'revocation') return;
    const bytes = encodeRecord(record);
    // A removal of very many layers is longer; it is found by those who ask.
    if (bytes.length > MAX_MESSAGE_BYTES) return;
    discovery
      .publish(TOPIC, bytes)
      .catch((err: unknown) => log.debug({ err }, 'a record could not be told to all'));
  }

  async #hear(bytes: Uint8Array, from: string): Promise<void> {
    const { directory, log } = this.#options;
    try {
      await directory.put(decodeRecord(bytes));
    } catch (error) {
      if (error instanceof RecordError) {
        if (error.bad) blamed(error, from, log);
      } else if (error instanceof WireError) {
        log.warn({ peer: from, reason: error.message }, 'bad gossip of records');
      } else log.error({ peer: from, err: error }, 'a record could not be kept');
    }
  }

  #pullLater(): void {
    const { clock } = this.#options;
    this.#cancelNext = clock.after(PULL_EVERY_MS * (0.5 + clock.random()), () => {
      const up = this.#options.links.filter(({ client }) => client);
      const link = up[Math.floor(clock.random() * up.length)];
      if (link) void this.#pull(link);
      this.#pullLater();
    });
  }

  async #pull(link: Link): Promise<void> {
    const { client } = link;
    if (!client || this.#pulling.has(link) || this.#stopping.signal.aborted) return;
    this.#pulling.add(link);
    const { signal } = this.#stopping;
    const { log } = this.#options;
    try {
      for (let complete = false; !complete; ) {
        const outcome = await this.#reconciler.pull(
          client.directory(CALL_TIMEOUT_MS, signal),
          link.name,
          signal,
        );
        if (outcome.added > 0) log.info({ peer: link.name, ...outcome }, 'records from a neighbour');
        complete = outcome.complete || outcome.added === 0;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof WireError) link.blame(error.message);
      else if (failureOf(error) === 'gone') link.suspect();
      log.debug({ peer: link.name, err: error }, 'the records of a neighbour could not be had');
    } finally {
      this.#pulling.delete(link);
    }
  }
}
