/** Remembers who is said to have which volume, so that these are asked first. Bounded; forgetting costs a round trip. */
import { LRUCache } from 'lru-cache';
import type { LayerRecord, Root } from '../blocks/types.ts';
import type { Checkpoint, Held } from './directory/types.ts';

const MAX_VOLUMES = 4096;

/** `whole`: made there, so every block was there. `part`: copied lazily, so some may be missing. */
export type Holding = 'whole' | 'part';

export class Holders {
  readonly #of = new LRUCache<Root, Map<string, Holding>>({ max: MAX_VOLUMES });

  /** `node` is its name. */
  learn({ root, origin }: Pick<LayerRecord, 'root' | 'origin'>, node: string): void {
    const holders = this.#of.get(root) ?? new Map<string, Holding>();
    holders.set(node, origin === 'copied' ? 'part' : 'whole');
    this.#of.set(root, holders);
  }

  /** What a record says of its signer. */
  heard({ kind, content, node }: Held): void {
    if (kind === 'layer') this.learn(content, node);
    else if (kind === 'checkpoint') this.#learnCheckpoint(content, node);
  }

  /** Of a checkpoint. Who has restored it has taken its volumes lazily, and says which memory it has touched. */
  #learnCheckpoint({ memory, volumes, workingSet }: Checkpoint, node: string): void {
    const origin = workingSet === undefined ? 'walked' : 'copied';
    for (const root of [memory, ...volumes]) this.learn({ root, origin }, node);
  }

  of(root: Root | undefined, node: string): Holding | undefined {
    return root === undefined ? undefined : this.#of.get(root)?.get(node);
  }

  /** It lacks a block of the volume: it has dropped what it does not own. */
  lacks(root: Root | undefined, node: string): void {
    if (root !== undefined && this.of(root, node) === 'whole') this.#of.get(root)?.set(node, 'part');
  }

  /** The candidates, likely holders first: whole ones, then partial ones, then those of whom nothing is known. */
  sorted<S extends { name: string }>(root: Root, candidates: readonly S[]): S[] {
    const order = { whole: 0, part: 1, unknown: 2 };
    const rank = ({ name }: S) => order[this.of(root, name) ?? 'unknown'];
    return [...candidates].sort((a, b) => rank(a) - rank(b));
  }

  forget(root: Root, node: string): void {
    this.#of.get(root)?.delete(node);
  }
}
