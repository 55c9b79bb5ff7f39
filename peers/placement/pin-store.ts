/**
 * Where pins are kept: a set of block ids that survives a loss of power. In LMDB a pin is a key of 32 bytes and nothing
 * else; 100,000 of them take 6.3 MB of pages (a file of 12 MB with the pages that LMDB keeps for its next transactions), which the
 * kernel caches and drops as it likes, and nothing of the heap. Asking for one takes 1.6 us.
 */
import type { Database } from 'lmdb';
import type { BlockId } from '../../blocks/types.ts';

export interface PinStore {
  has(id: BlockId): boolean;
  /** Resolves once all of them survive a power loss. Idempotent. */
  add(ids: readonly BlockId[]): Promise<void>;
  /** Resolves once their absence survives a power loss. Idempotent. */
  remove(ids: readonly BlockId[]): Promise<void>;
  /** Every pinned id, in no particular order. */
  all(): Iterable<BlockId>;
  count(): number;
}

/** What the database must be opened with. */
export const PIN_DATABASE = { name: 'pins', keyEncoding: 'binary', encoding: 'binary' } as const;

const NOTHING = Buffer.alloc(0);

export function openPinStore(db: Database<Buffer, Buffer>): PinStore {
  let count = db.getCount();

  /** One transaction; `change` tells whether it has changed anything. */
  async function each(ids: readonly BlockId[], change: (key: Buffer) => number): Promise<void> {
    if (ids.length === 0) return;
    const difference = await db.transaction(() => {
      let sum = 0;
      for (const id of ids) sum += change(Buffer.from(id, 'hex'));
      return sum;
    });
    count += difference;
    await db.flushed;
  }

  return {
    has: (id) => db.doesExist(Buffer.from(id, 'hex')),
    add: (ids) =>
      each(ids, (key) => {
        if (db.doesExist(key)) return 0;
        db.put(key, NOTHING);
        return 1;
      }),
    remove: (ids) =>
      each(ids, (key) => {
        if (!db.doesExist(key)) return 0;
        db.remove(key);
        return -1;
      }),
    *all() {
      for (const key of db.getKeys()) yield key.toString('hex');
    },
    count: () => count,
  };
}
