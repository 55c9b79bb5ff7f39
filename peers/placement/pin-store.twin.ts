/** The pin store's twin in memory, for tests. */
import type { BlockId } from '../../blocks/types.ts';
import type { PinStore } from './pin-store.ts';

export function memoryPinStore(): PinStore {
  const pinned = new Set<BlockId>();
  return {
    has: (id) => pinned.has(id),
    async add(ids) {
      for (const id of ids) pinned.add(id);
    },
    async remove(ids) {
      for (const id of ids) pinned.delete(id);
    },
    all: () => pinned.values(),
    count: () => pinned.size,
  };
}
