/**
 * The ledger of this node's promises. A pin says: I keep this block, durably, until others have promised the same. Who
 * asked for it does not matter.
 *
 * Order of effects. Giving: the block is synced, then the pin is made durable, then the answer goes out. Dropping: the pin is
 * removed durably, then the block. So after a crash a block may be without its pin (it is pinned again when it is owned), and
 * never a pin without its block; where a block was lost otherwise (it was corrupt), the pin is taken back (`lost`, `start`)
 * before the block can be put again, since a block that has just come is not durable and a pin says that it is.
 *
 * No pin is given from the beginning of an attempt to drop the block until the attempt is over. Changes of the store go one after
 * the other, and an answer waits for those before it: what is seen in the store may not be durable yet.
 */
import type { BlockId, BlockStore, Root } from '../../blocks/types.ts';
import { type Attempt, Attempts, type DropView } from './attempts.ts';
import type { PinAnswer } from './messages.ts';
import type { PinStore } from './pin-store.ts';

export interface PinsParts {
  store: PinStore;
  blocks: Pick<BlockStore, 'has' | 'remove' | 'sync'>;
  /** In this node's own view, now. */
  isOwner(id: BlockId): boolean;
}

export class Pins {
  readonly #parts: PinsParts;
  readonly #attempts = new Attempts();
  readonly #dropping = new Set<BlockId>();
  /** Blocks that were lost, until their pins are taken back. */
  readonly #lost = new Set<BlockId>();
  #isStarted = false;
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor(parts: PinsParts) {
    this.#parts = parts;
  }

  /** Takes back the pins of blocks that are not here. Before that nothing is given. */
  async start(): Promise<void> {
    const { store, blocks } = this.#parts;
    const without = [...store.all()].filter((id) => !blocks.has(id));
    await this.#change(() => store.remove(without));
    this.#isStarted = true;
  }

  has(id: BlockId): boolean {
    return this.#parts.store.has(id);
  }

  count(): number {
    return this.#parts.store.count();
  }

  /** Gives the pins that may be given. Answers in the order of the ids. */
  async give(ids: readonly BlockId[]): Promise<PinAnswer[]> {
    const answers = ids.map((id) => this.#verdict(id));
    const kept = ids.filter((_, i) => answers[i] === 'kept');
    const missing = kept.filter((id) => !this.has(id));
    if (missing.length > 0) await this.#make(missing);
    else await this.#lastChange;
    return answers.map((answer, i) => (answer === 'kept' && !this.#isKept(ids[i]!) ? 'absent' : answer));
  }

  async #make(ids: readonly BlockId[]): Promise<void> {
    const { store, blocks } = this.#parts;
    await blocks.sync();
    await this.#change(() => store.add(ids.filter((id) => this.#isHere(id) && !this.#dropping.has(id))));
  }

  #isKept(id: BlockId): boolean {
    return this.#isHere(id) && !this.#dropping.has(id) && this.has(id);
  }

  #verdict(id: BlockId): PinAnswer {
    if (!this.#isHere(id)) return 'absent';
    if (this.#dropping.has(id) || this.#attempts.has(id)) return 'dropping';
    return this.#parts.isOwner(id) ? 'kept' : 'not owner';
  }

  #isHere(id: BlockId): boolean {
    return this.#isStarted && this.#parts.blocks.has(id) && !this.#lost.has(id);
  }

  /** Begins an attempt to drop a block; undefined while another one is open. */
  begin(id: BlockId, roots: readonly Root[], nowMs: number): Attempt | undefined {
    return this.#attempts.begin(id, roots, nowMs);
  }

  /** True while an attempt to drop it is open or it is being dropped: it is not counted on. */
  isDropping(id: BlockId): boolean {
    return this.#attempts.has(id) || this.#dropping.has(id);
  }

  confirm(attempt: Attempt, owner: string): void {
    this.#attempts.confirm(attempt, owner);
  }

  mayDrop(attempt: Attempt, view: DropView): boolean {
    return this.#attempts.mayDrop(attempt, view);
  }

  end(attempt: Attempt): void {
    this.#attempts.end(attempt);
  }

  /** Drops what the caller has found droppable; `isFree` is asked once more just before each goes. Answers those that went. */
  async drop(ids: readonly BlockId[], isFree: (id: BlockId) => boolean): Promise<BlockId[]> {
    const { store, blocks } = this.#parts;
    const going = ids.filter((id) => !this.#dropping.has(id));
    for (const id of going) this.#dropping.add(id);
    const dropped: BlockId[] = [];
    try {
      await this.#change(() => store.remove(going.filter((id) => this.has(id))));
      for (const id of going) {
        if (!isFree(id)) continue;
        await blocks.remove(id);
        dropped.push(id);
      }
    } finally {
      for (const id of going) this.#dropping.delete(id);
    }
    return dropped;
  }

  /** The block has gone without a decision of this node's: it was corrupt. */
  async lost(id: BlockId): Promise<void> {
    this.#lost.add(id);
    try {
      await this.#change(() => this.#parts.store.remove([id]));
    } finally {
      this.#lost.delete(id);
    }
  }

  #change(effect: () => Promise<void>): Promise<void> {
    const change = this.#lastChange.then(effect);
    this.#lastChange = change.catch(() => {});
    return change;
  }
}
