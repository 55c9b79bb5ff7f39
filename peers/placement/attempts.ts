/**
 * Attempts to drop blocks: which are under way, and what the owners have said to each. In memory only: an attempt that a
 * crash has ended counts for nothing, and an answer to it finds nobody. What the rules are for is argued in custody.ts.
 */
import type { BlockId, Root } from '../../blocks/types.ts';

export interface Attempt {
  readonly id: BlockId;
  /** All living volumes that name the block: what the owners are asked for. */
  readonly roots: readonly Root[];
  readonly startedMs: number;
  /** The owners that have said, during this attempt, that they keep it. */
  readonly confirmed: ReadonlySet<string>;
}

/** Who decides, and by what it sees now. */
export interface DropView {
  self: string;
  owners: readonly string[];
  replicas: number;
  nowMs: number;
}

/**
 * Pins older than this count no longer. No rule needs it: it bounds how long ago an owner whose disk has been destroyed
 * since may have spoken.
 */
export const ATTEMPT_MAX_MS = 60_000;

export class Attempts {
  readonly #open = new Map<BlockId, Attempt & { confirmed: Set<string> }>();

  /** Undefined while another attempt on this block is open. */
  begin(id: BlockId, roots: readonly Root[], nowMs: number): Attempt | undefined {
    if (this.#open.has(id)) return undefined;
    const attempt = { id, roots, startedMs: nowMs, confirmed: new Set<string>() };
    this.#open.set(id, attempt);
    return attempt;
  }

  has(id: BlockId): boolean {
    return this.#open.has(id);
  }

  /** An owner keeps the block. Ignored when the attempt that it was asked for is over. */
  confirm(attempt: Attempt, owner: string): void {
    const open = this.#open.get(attempt.id);
    if (open === attempt) open.confirmed.add(owner);
  }

  /** The whole of the rule: not an owner itself, `replicas` owners, and each of them has pinned it during this attempt. */
  mayDrop(attempt: Attempt, { self, owners, replicas, nowMs }: DropView): boolean {
    return (
      this.#open.get(attempt.id) === attempt &&
      nowMs - attempt.startedMs <= ATTEMPT_MAX_MS &&
      owners.length >= replicas &&
      !owners.includes(self) &&
      owners.every((owner) => attempt.confirmed.has(owner))
    );
  }

  end(attempt: Attempt): void {
    if (this.#open.get(attempt.id) === attempt) this.#open.delete(attempt.id);
  }
}
