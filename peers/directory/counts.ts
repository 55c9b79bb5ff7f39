/** How many records there are, of whom, and whether there is room for one more. */

import { indexKey, TAGS } from './keys.ts';
import type { Capacity } from './limits.ts';
import type { Kind, RecordStore, SignerKey } from './types.ts';

export class Counts {
  readonly #capacity: Capacity;
  /** By the index key of the signer, in hex. */
  readonly #ofSigners: Map<string, number>;
  #total = 0;

  constructor(store: RecordStore, capacity: Capacity) {
    this.#capacity = capacity;
    this.#ofSigners = store.tally(TAGS.signer);
    for (const count of this.#ofSigners.values()) this.#total += count;
  }

  get total(): number {
    return this.#total;
  }

  /** Why there is no room, if so. */
  lacking(signer: SignerKey, kind: Kind): 'signerFull' | 'full' | undefined {
    const { records, reserve, signerRecords, signerReserve } = this.#capacity;
    const ends = kind === 'removal' || kind === 'revocation';
    if (this.#total >= records + (ends ? reserve : 0)) return 'full';
    const own = this.#ofSigners.get(nameOf(signer)) ?? 0;
    return own >= signerRecords + (ends ? signerReserve : 0) ? 'signerFull' : undefined;
  }

  add(signer: SignerKey, by: 1 | -1): void {
    const name = nameOf(signer);
    const own = (this.#ofSigners.get(name) ?? 0) + by;
    if (own === 0) this.#ofSigners.delete(name);
    else this.#ofSigners.set(name, own);
    this.#total += by;
  }
}

function nameOf(signer: SignerKey): string {
  return indexKey('signer', signer).toString('hex');
}
