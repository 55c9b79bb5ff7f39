import t from 'tap';
import { indexKey } from '../../peers/directory/keys.ts';
import { recordStoreConformance } from '../../peers/directory/store.conformance.ts';
import type { StoredRecord } from '../../peers/directory/types.ts';
import { RecordPool, SimRecordStore } from './record-store.ts';

t.test('the records of the simulator', async (t) => {
  recordStoreConformance(t, async () => {
    const store = new SimRecordStore(new RecordPool());
    return { store, reopen: async () => store };
  });
});

t.test('what one node has put is not on another before it has put it too', async (t) => {
  const pool = new RecordPool();
  const [one, other] = [new SimRecordStore(pool), new SimRecordStore(pool)];
  const id = 'a'.repeat(64);
  const key = indexKey('checkpoint', 'red');
  const bytes = Buffer.from('some');
  const record: StoredRecord = {
    signer: id,
    createdMs: 7,
    body: bytes,
    certificate: bytes,
    signature: bytes,
  };
  const see = (store: SimRecordStore) => [
    store.has(id),
    store.get(id) !== undefined,
    store.under(key).length,
    store.ids(0xaa).length,
    store.tally(key[0]!).size,
    [...store.all()].length,
  ];
  const [there, notThere] = [
    [true, true, 1, 1, 1, 1],
    [false, false, 0, 0, 0, 0],
  ];
  await one.transact((writer) => writer.put(id, record, [key]));
  t.same([see(one), see(other)], [there, notThere]);
  await other.transact((writer) => writer.put(id, record, [key]));
  await one.transact((writer) => writer.remove(id, [key]));
  t.same([see(one), see(other)], [notThere, there]);
});
