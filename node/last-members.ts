/**
 * Where members were reached last: a node that comes back after the configured bootstrap nodes have gone still finds the cluster.
 * In LMDB; written only when somebody new is there.
 */
import type { Database } from 'lmdb';

const MAX_ADDRESSES = 16;
const KEY = 'addresses';

export interface LastMembers {
  /** `host:port` of their libp2p. */
  addresses(): readonly string[];
  /** These are alive now. Not durable at once: it is a help, not a promise. */
  keep(addresses: readonly string[]): void;
}

export function openLastMembers(db: Database<string[], string>): LastMembers {
  let last = db.get(KEY) ?? [];
  return {
    addresses: () => last,
    keep(addresses) {
      // Nobody there is no reason to forget where somebody was.
      const next = addresses.slice(0, MAX_ADDRESSES).sort();
      if (next.length === 0 || next.join() === last.join()) return;
      last = next;
      void db.put(KEY, next);
    },
  };
}
