/**
 * Which volume holds a layer: what the directory says of it and may be believed. What is not there yet is asked of the
 * neighbours, all at once, since a record may still be on its way; what they answer goes into the directory like any other
 * record. Misses are remembered briefly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { ChainId, LayerRecord } from '../blocks/types.ts';
import type { Directory } from './directory/directory.ts';
import { blamed, RecordError } from './directory/refusal.ts';
import { settle, type TrustPolicy } from './directory/trust.ts';
import type { SignedRecord } from './directory/types.ts';
import { failureOf } from './exchange/client.ts';
import { WireError } from './exchange/wire.ts';
import type { Link } from './link.ts';
import type { Log } from './types.ts';

const MISS_REMEMBERED_MS = 2000;
const MAX_MISSES = 4096;
/** While links are still being made for the first time, a look every so often. */
const LOOK_AGAIN_MS = 10;
/** In a large cluster so many are asked, by chance: the records come to all by gossip anyway. */
const MAX_ASKED = 32;

export interface LookupOptions {
  links: readonly Link[];
  directory: Pick<Directory, 'layersByChainId' | 'put'>;
  trust: TrustPolicy;
  log: Log;
}

export class Lookup {
  readonly #options: LookupOptions;
  readonly #misses = new LRUCache<ChainId, true>({ max: MAX_MISSES, ttl: MISS_REMEMBERED_MS });

  constructor(options: LookupOptions) {
    this.#options = options;
  }

  /** undefined: nothing that may be believed was heard within `timeoutMs`. Records that come later are still kept. */
  async find(chainId: ChainId, timeoutMs: number): Promise<LayerRecord | undefined> {
    const known = this.#believed(chainId);
    if (known || this.#misses.has(chainId)) return known;
    const deadlineMs = performance.now() + timeoutMs;
    const { promise, resolve } = Promise.withResolvers<LayerRecord | undefined>();
    const timer = setTimeout(resolve, timeoutMs, undefined);
    const asked = some(this.#options.links, MAX_ASKED).map(async (link) => {
      await this.#ask(link, chainId, deadlineMs);
      const found = this.#believed(chainId);
      if (found) resolve(found);
    });
    Promise.allSettled(asked).then(() => resolve(undefined));
    const found = await promise;
    clearTimeout(timer);
    if (!found) this.#misses.set(chainId, true);
    return found;
  }

  /** A neighbour has come or gone, or a record: what was missing may be there now. */
  changed(): void {
    this.#misses.clear();
  }

  #believed(chainId: ChainId): LayerRecord | undefined {
    const { directory, trust, log } = this.#options;
    const verdict = settle(directory.layersByChainId(chainId), trust);
    if (verdict.believed) return verdict.record.content;
    if (verdict.why === 'quorum') {
      const { ingestedBy, needed } = verdict;
      log.info({ chainId, ingestedBy, needed }, 'too few nodes have ingested the layer to believe them');
    }
    return undefined;
  }

  async #ask(link: Link, chainId: ChainId, deadlineMs: number): Promise<void> {
    while (link.state.kind === 'unknown' && performance.now() < deadlineMs) await sleep(LOOK_AGAIN_MS);
    const { client } = link;
    if (!client) return;
    try {
      const begunMs = performance.now();
      const records = await client.directory(Math.max(1, deadlineMs - begunMs)).layers([chainId]);
      link.meter.roundTrip(performance.now() - begunMs);
      await this.#take(link, records);
    } catch (error) {
      if (failureOf(error) === 'gone') link.suspect();
      if (error instanceof WireError) link.blame(error.message);
    }
  }

  async #take(link: Link, records: readonly SignedRecord[]): Promise<void> {
    const { directory, log } = this.#options;
    for (const record of records) {
      try {
        await directory.put(record);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        if (error.bad) throw blamed(error, link.name, log);
      }
    }
  }
}

function some<T>(items: readonly T[], max: number): readonly T[] {
  if (items.length <= max) return items;
  const pool = [...items];
  return Array.from({ length: max }, () => pool.splice(Math.floor(Math.random() * pool.length), 1)[0]!);
}
