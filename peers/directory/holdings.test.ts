/** What a directory keeps and for how long, how much it takes, and what is left after a failure or a crash. */
import t from 'tap';
import { checkpoint, DAY_MS, DirectoryBed, layer, ref, shown } from './bed.twin.ts';
import { CAPACITY, ENDED_KEPT_MS, REMOVAL_KEPT_MS, SWEEP_EVERY_MS } from './limits.ts';
import { MemoryRecordStore } from './memory.ts';
import type { RecordWriter } from './types.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Lets what a timer has started come to its end. */
const settled = () => new Promise((next) => setImmediate(next));

t.test('what was removed goes after 60 days, the removal after 90, and nothing comes back', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const old = await bed.record('n2', 'layer', layer('a'));
  await directory.put(old);
  const pulled = await bed.record('n2', 'ref', ref('app:1', [layer('a').chainId]));
  await directory.put(pulled);
  const [removal] = await directory.removeImage('app:1');
  const removed = directory.record(removal!.id)!;
  const goOn = async (ms: number) => {
    bed.clock.advance(ms);
    await settled();
  };
  await goOn(ENDED_KEPT_MS - HOUR_MS);
  t.equal(directory.size, 3);
  await goOn(2 * HOUR_MS);
  t.equal(directory.size, 1, 'the removal is left');
  for (const record of [old, pulled])
    await t.rejects(directory.put(record), { name: 'RecordError', reason: 'ended' });
  t.equal(await directory.put(await bed.record('n2', 'layer', layer('a'))), 'added', 'a new pull counts');
  await goOn(REMOVAL_KEPT_MS - ENDED_KEPT_MS);
  t.equal(directory.size, 1);
  t.same(shown(directory).length, 1);
  await t.rejects(directory.put(removed), { name: 'RecordError', reason: 'expired', signer: 'n1' });
});

t.test('a sweep also takes what a removal ends by its id, and leaves what is newer', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const point = await directory.publish('checkpoint', checkpoint('c1'));
  const again = await bed.record('n2', 'checkpoint', { ...checkpoint('c1'), repeats: point.id });
  await directory.put(again);
  await directory.publish('layer', layer('a'));
  await directory.publish('removal', { image: '', chainIds: [layer('a').chainId], recordIds: [point.id] });
  const kept = await directory.publish('layer', layer('a'));
  bed.clock.advance(ENDED_KEPT_MS + SWEEP_EVERY_MS);
  await settled();
  t.equal(directory.has(point.id), false);
  await t.rejects(
    directory.put(again),
    { name: 'RecordError', reason: 'ended' },
    'nor does what says it again come back',
  );
  t.equal(directory.size, 2);
  t.match(directory.layersByChainId(layer('a').chainId), [{ id: kept.id }]);
});

t.test('one signer cannot fill the directory, and still remove', async (t) => {
  const bed = await DirectoryBed.make(t);
  const capacity = { records: 8, reserve: 2, signerRecords: 5, signerReserve: 1 };
  const { directory } = await bed.directory('n1', { capacity });
  const put = async (node: string, name: string) =>
    directory.put(await bed.record(node, 'layer', layer(name)));
  for (const name of ['a', 'b', 'c', 'd', 'e']) await put('bad', name);
  await t.rejects(put('bad', 'f'), { name: 'RecordError', reason: 'signerFull', signer: 'bad' });
  t.equal(
    await directory.put(await bed.record('bad', 'layer', layer('a'), bed.clock.wallMs + 1)),
    'added',
    'in place of another',
  );
  const removal = (node: string, name: string) =>
    bed.record(node, 'removal', { image: name, chainIds: [], recordIds: [] });
  t.equal(await directory.put(await removal('bad', 'x')), 'added');
  await t.rejects(directory.put(await removal('bad', 'y')), { name: 'RecordError', reason: 'signerFull' });
  for (const name of ['a', 'b']) await put('n2', name);
  await t.rejects(put('n2', 'c'), { name: 'RecordError', reason: 'full' });
  t.equal(await directory.put(await removal('n2', 'x')), 'added');
  t.equal(directory.size, 9);
  await directory.put(await bed.revocation(await bed.node('bad')));
  t.equal(directory.size, 4, 'a revocation makes room');
  t.equal(await put('n2', 'c'), 'added');
});

/** Fails as often as it is told to: a full disk. */
class FailingStore extends MemoryRecordStore {
  failures = 0;
  passes = 0;

  override async transact<R>(change: (writer: RecordWriter) => R): Promise<R> {
    if (this.passes === 0 && this.failures > 0) {
      this.failures--;
      // As where the commit fails: the change has run, and is not kept.
      change({ put() {}, remove() {} });
      throw new Error('no space');
    }
    this.passes--;
    return super.transact(change);
  }
}

t.test('a record that could not be written is not there, and can be put again', async (t) => {
  const bed = await DirectoryBed.make(t);
  const store = new FailingStore();
  const capacity = { ...CAPACITY, signerRecords: 1 };
  const { directory } = await bed.directory('n1', { store, capacity });
  const bad = await bed.node('bad');
  const record = await bed.record(bad, 'layer', layer('a'));
  const before = directory.digests();
  store.failures = 1;
  store.passes = 0;
  await t.rejects(directory.put(record), { message: 'no space' });
  t.equal(directory.size, 0);
  t.same(directory.digests(), before);
  t.equal(await directory.put(record), 'added');
  store.failures = 1;
  store.passes = 0;
  await t.rejects(directory.put(await bed.revocation(bad)), { message: 'no space' });
  t.equal(directory.layersByChainId(layer('a').chainId).length, 1, 'nobody is revoked');
  t.equal(directory.size, 1);
});

t.test('a revocation that a crash interrupts holds at once, and is finished at the next start', async (t) => {
  const bed = await DirectoryBed.make(t);
  const store = new FailingStore();
  const { directory } = await bed.directory('n1', { store });
  const bad = await bed.node('bad');
  for (let i = 0; i < 600; i++) await directory.put(await bed.record(bad, 'layer', layer(`l${i}`)));
  store.failures = 1;
  store.passes = 2;
  await t.rejects(directory.put(await bed.revocation(bad)), { message: 'no space' });
  t.equal(directory.size, 101, 'cut off between two batches');
  t.match(shown(directory), [/^revocation/], 'what is left does not count');
  directory.close();
  const again = (await bed.directory('n1', { store })).directory;
  t.equal(again.size, 1);
  const other = (await bed.directory('n2')).directory;
  await other.put(await bed.revocation(bad));
  t.same(again.digests(), other.digests());
});

t.test('a sweep that fails is told of, and tried again', async (t) => {
  const bed = await DirectoryBed.make(t);
  const store = new FailingStore();
  const { directory, log } = await bed.directory('n1', { store });
  await directory.publish('ref', ref('app:1', [layer('a').chainId]));
  await directory.removeImage('app:1');
  bed.clock.wallMs += ENDED_KEPT_MS + DAY_MS;
  store.failures = 1;
  store.passes = 0;
  bed.clock.advance(0);
  await settled();
  t.equal(log.lines.length, 1);
  t.equal(directory.size, 2);
  bed.clock.advance(SWEEP_EVERY_MS);
  await settled();
  t.equal(directory.size, 1);
});

t.test('a directory that is closed in the middle of a sweep sweeps no more', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  t.equal(bed.clock.waiting, 1);
  bed.clock.advance(SWEEP_EVERY_MS);
  directory.close();
  await settled();
  t.equal(bed.clock.waiting, 0);
});
