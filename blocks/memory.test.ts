import t from 'tap';
import { memoryBlockStore } from './memory.ts';
import { blockStoreConformance } from './store.conformance.ts';

blockStoreConformance(t, async () => {
  const told: Error[] = [];
  const store = memoryBlockStore((error) => told.push(error));
  return { store, told, flipBit: async (id, bit) => store.flipBit(id, bit) };
});
