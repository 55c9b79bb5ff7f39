/** Who is to be told when a block that was under way is here, or will not come. Watches end by themselves or by their owner. */
import type { BlockId } from '../blocks/types.ts';

export class Arrivals {
  readonly #watching = new Map<BlockId, Set<() => void>>();

  /** Calls `then` at most once; the answer ends the watch. */
  watch(id: BlockId, then: () => void): () => void {
    const watching = this.#watching.get(id) ?? new Set();
    // A caller may watch with one function twice.
    const tell = () => then();
    watching.add(tell);
    this.#watching.set(id, watching);
    return () => {
      watching.delete(tell);
      if (watching.size === 0 && this.#watching.get(id) === watching) this.#watching.delete(id);
    };
  }

  /** It is here, or nobody here wants it any more. */
  ended(id: BlockId): void {
    const watching = this.#watching.get(id);
    this.#watching.delete(id);
    for (const tell of watching ?? []) tell();
  }

  get size(): number {
    return this.#watching.size;
  }
}
