/** Remembers who has said to have which volume, so that these are asked first. Bounded; forgetting costs a round trip. */
import { LRUCache } from 'lru-cache';
import type { LayerRecord, Root } from '../blocks/types.ts';

const MAX_VOLUMES = 4096;

/** `whole`: made there, so every block was there. `part`: copied lazily, so some may be missing. */
export type Holding = 'whole' | 'part';

export class Holders<S extends object> {
  readonly #of = new LRUCache<Root, Map<S, Holding>>({ max: MAX_VOLUMES });

  learn({ root, origin }: LayerRecord, holder: S): void {
    const holders = this.#of.get(root) ?? new Map<S, Holding>();
    holders.set(holder, origin === 'copied' ? 'part' : 'whole');
    this.#of.set(root, holders);
  }

  has(root: Root | undefined, holder: S): boolean {
    return root !== undefined && (this.#of.get(root)?.has(holder) ?? false);
  }

  /** The candidates, likely holders first: whole ones, then partial ones, then those of whom nothing is known. */
  sorted(root: Root, candidates: readonly S[]): S[] {
    const holders = this.#of.get(root);
    const order = { whole: 0, part: 1, unknown: 2 };
    const rank = (candidate: S) => order[holders?.get(candidate) ?? 'unknown'];
    return [...candidates].sort((a, b) => rank(a) - rank(b));
  }

  forget(root: Root, holder: S): void {
    this.#of.get(root)?.delete(holder);
  }
}
