import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { MemoryRecordStore } from './memory.ts';
import { recordStoreConformance } from './store.conformance.ts';
import { openRecordStore } from './store.ts';

t.test('in memory', async (t) => {
  recordStoreConformance(t, async () => {
    const store = new MemoryRecordStore();
    return { store, reopen: async () => store };
  });
});

t.test('in LMDB', async (t) => {
  recordStoreConformance(t, async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'forage-records-'));
    let root = open({ path: join(dir, 'db'), maxDbs: 4 });
    t.teardown(async () => {
      await root.close();
      await rm(dir, { recursive: true });
    });
    return {
      store: openRecordStore(root),
      async reopen() {
        await root.close();
        root = open({ path: join(dir, 'db'), maxDbs: 4 });
        return openRecordStore(root);
      },
    };
  });
});
