import { join } from 'node:path';
import { open } from 'lmdb';
import t from 'tap';
import { pinStoreConformance } from './pin-store.conformance.ts';
import { openPinStore, PIN_DATABASE } from './pin-store.ts';
import { memoryPinStore } from './pin-store.twin.ts';

t.test('in memory', async (t) => {
  pinStoreConformance(t, async () => {
    const store = memoryPinStore();
    return { store, reopen: async () => store };
  });
});

t.test('in LMDB', async (t) => {
  pinStoreConformance(t, async (t) => {
    const path = join(t.testdir(), 'db');
    const openDb = () => open({ path, maxDbs: 1 });
    let db = openDb();
    t.teardown(() => db.close());
    const openPins = () => openPinStore(db.openDB<Buffer, Buffer>(PIN_DATABASE));
    return {
      store: openPins(),
      async reopen() {
        await db.close();
        db = openDb();
        return openPins();
      },
    };
  });
});
