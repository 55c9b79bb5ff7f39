/** What every `RecordStore` does: run on the twin in memory and on LMDB. */
import type { Test } from 'tap';
import { sha } from './bed.twin.ts';
import { indexKey, TAGS } from './keys.ts';
import type { RecordStore, StoredRecord } from './types.ts';

export interface Subject {
  store: RecordStore;
  /** The same store after a restart. */
  reopen(): Promise<RecordStore>;
}

function stored(name: string, createdMs = 5): StoredRecord {
  return {
    signer: sha(`signer of ${name}`),
    createdMs,
    body: Buffer.from(`body of ${name}`),
    certificate: Buffer.from('a certificate'),
    signature: Buffer.alloc(64, name.length),
  };
}

const RED = indexKey('checkpoint', 'red');
const BLUE = indexKey('refByImage', 'blue');

export function recordStoreConformance(t: Test, make: (t: Test) => Promise<Subject>): void {
  t.test('what was put is there as it was, also after a restart', async (t) => {
    const { store, reopen } = await make(t);
    const id = sha('a');
    t.equal(store.isEmpty(), true);
    t.equal(store.has(id), false);
    t.equal(store.get(id), undefined);
    await store.transact((writer) => writer.put(id, stored('a', 1_700_000_000_123), [RED]));
    for (const next of [async () => store, reopen]) {
      const reader = await next();
      t.equal(reader.isEmpty(), false);
      t.equal(reader.has(id), true);
      t.same(reader.get(id), stored('a', 1_700_000_000_123));
      t.same(reader.under(RED), [{ id, createdMs: 1_700_000_000_123 }]);
      t.same([...reader.ids(Number.parseInt(id.slice(0, 2), 16))], [id]);
    }
  });

  t.test('records are found under each of their keys and no other, ascending', async (t) => {
    const { store } = await make(t);
    const names = Array.from({ length: 50 }, (_, i) => `r${i}`);
    await store.transact((writer) => {
      for (const name of names) writer.put(sha(name), stored(name), name < 'r2' ? [RED, BLUE] : [BLUE]);
    });
    const ids = (some: string[]) => some.map(sha).sort();
    t.same(
      store.under(BLUE).map(({ id }) => id),
      ids(names),
    );
    t.same(
      store.under(RED).map(({ id }) => id),
      ids(names.filter((name) => name < 'r2')),
    );
    t.same(store.under(indexKey('checkpoint', 'blue')), []);
    t.same(store.tally(TAGS.refByImage), new Map([[BLUE.toString('hex'), 50]]));
    t.same(store.tally(TAGS.signer), new Map());
  });

  t.test(
    'the ids of a bucket come ascending, from any id on, for the first and the last bucket too',
    async (t) => {
      const { store } = await make(t);
      const ids = ['00', '7f', 'ff'].flatMap((first) =>
        Array.from({ length: 20 }, (_, i) => first + sha(String(i)).slice(2)),
      );
      const edges = ['0'.repeat(64), 'f'.repeat(64), `80${'0'.repeat(62)}`];
      await store.transact((writer) => {
        for (const id of [...ids, ...edges]) writer.put(id, stored(id), []);
      });
      const all = [...ids, ...edges].sort();
      for (const bucket of [0, 0x7f, 0x80, 0xff, 0x10]) {
        const first = bucket.toString(16).padStart(2, '0');
        const expected = all.filter((id) => id.startsWith(first));
        t.same([...store.ids(bucket)], expected);
        for (const [i, id] of expected.entries()) t.same([...store.ids(bucket, id)], expected.slice(i + 1));
      }
    },
  );

  t.test('what was removed is gone from everywhere, and removing again does nothing', async (t) => {
    const { store, reopen } = await make(t);
    await store.transact((writer) => {
      for (const name of ['a', 'b']) writer.put(sha(name), stored(name), [RED, BLUE]);
    });
    for (let times = 0; times < 2; times++)
      await store.transact((writer) => writer.remove(sha('a'), [RED, BLUE]));
    for (const next of [async () => store, reopen]) {
      const reader = await next();
      t.equal(reader.has(sha('a')), false);
      t.same(reader.under(RED), [{ id: sha('b'), createdMs: 5 }]);
      t.same(reader.tally(TAGS.checkpoint), new Map([[RED.toString('hex'), 1]]));
      t.same(reader.get(sha('b')), stored('b'), 'the certificate of both is still there');
    }
  });

  t.test(
    'transactions that are under way together run one after the other, and see what was written',
    async (t) => {
      const { store } = await make(t);
      const add = (name: string) =>
        store.transact((writer) => {
          const before = store.under(RED).length;
          writer.put(sha(name), stored(name), [RED]);
          return store.under(RED).length === before + 1 && store.has(sha(name)) ? before : -1;
        });
      const seen = await Promise.all(Array.from({ length: 20 }, (_, i) => add(`r${i}`)));
      t.same(
        seen,
        Array.from({ length: 20 }, (_, i) => i),
      );
    },
  );

  t.test('what is handed in and out may be used for something else', async (t) => {
    const { store } = await make(t);
    const record = stored('a');
    await store.transact((writer) => writer.put(sha('a'), record, [RED]));
    for (const bytes of [record.body, record.certificate, record.signature]) bytes.fill(0);
    t.same(store.get(sha('a')), stored('a'));
  });
}
