/** Who has this layer: asks every neighbour at once; the first record wins, and misses are remembered briefly. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { ChainId, LayerRecord } from '../blocks/types.ts';
import { failureOf } from './exchange/client.ts';
import { WireError } from './exchange/wire.ts';
import type { Holders } from './holders.ts';
import type { Link } from './link.ts';
import type { Log } from './types.ts';

const MISS_REMEMBERED_MS = 2000;
const MAX_MISSES = 4096;
/** While links are still being made for the first time, a look every so often. */
const LOOK_AGAIN_MS = 10;

export class Lookup {
  readonly #links: readonly Link[];
  readonly #holders: Holders<Link>;
  readonly #log: Log;
  readonly #misses = new LRUCache<ChainId, true>({ max: MAX_MISSES, ttl: MISS_REMEMBERED_MS });

  constructor(links: readonly Link[], holders: Holders<Link>, log: Log) {
    this.#links = links;
    this.#holders = holders;
    this.#log = log;
  }

  /** undefined: nobody has said yes within `timeoutMs`. Records of those that answer later are still learned from. */
  async find(chainId: ChainId, timeoutMs: number): Promise<LayerRecord | undefined> {
    if (this.#misses.has(chainId)) return undefined;
    const deadlineMs = performance.now() + timeoutMs;
    const asked = this.#links.map((link) => this.#ask(link, chainId, deadlineMs));
    const { promise, resolve } = Promise.withResolvers<LayerRecord | undefined>();
    const timer = setTimeout(resolve, timeoutMs, undefined);
    Promise.any(asked).then(resolve, () => resolve(undefined));
    const found = await promise;
    clearTimeout(timer);
    if (!found) this.#misses.set(chainId, true);
    return found;
  }

  /** A neighbour has come or gone: what was missing may be there now. */
  membershipChanged(): void {
    this.#misses.clear();
  }

  /** Rejects when this neighbour does not have it, or cannot be asked. */
  async #ask(link: Link, chainId: ChainId, deadlineMs: number): Promise<LayerRecord> {
    while (link.state.kind === 'unknown' && performance.now() < deadlineMs) await sleep(LOOK_AGAIN_MS);
    const { client } = link;
    if (!client) throw new Error('not connected');
    try {
      const begunMs = performance.now();
      const record = await client.findLayer(chainId, Math.max(1, deadlineMs - begunMs));
      link.meter.roundTrip(performance.now() - begunMs);
      if (!record) throw new Error('not there');
      this.#holders.learn(record, link);
      return record;
    } catch (error) {
      if (failureOf(error) === 'gone') link.suspect();
      if (error instanceof WireError) {
        this.#log.warn(
          { peer: link.name, reason: error.message },
          'a neighbour answered with a bad layer record',
        );
      }
      throw error;
    }
  }
}
