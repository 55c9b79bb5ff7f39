/** What a person has told the node and a restart must not undo: a few names, set or not, in LMDB. */
import type { Database } from 'lmdb';

/** `draining`: the node gives everything away and owns nothing. */
export type Mark = 'draining';

export interface Marks {
  has(mark: Mark): boolean;
  /** Resolves once it survives a power loss. */
  set(mark: Mark, to: boolean): Promise<void>;
}

export function openMarks(db: Database<boolean, string>): Marks {
  return {
    has: (mark) => db.get(mark) === true,
    async set(mark, to) {
      if (to) await db.put(mark, true);
      else await db.remove(mark);
      await db.flushed;
    },
  };
}
