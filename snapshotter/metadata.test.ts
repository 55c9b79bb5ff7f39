import { join } from 'node:path';
import { open } from 'lmdb';
import t, { type Test } from 'tap';
import { Metadata, type SnapshotDatabase } from './metadata.ts';
import type { SnapshotRecord } from './record.ts';

function database(t: Test): { db: SnapshotDatabase; reopen(): Promise<SnapshotDatabase> } {
  // lmdb takes a path with a dot in its last part for a file.
  const path = join(t.testdir(), 'db');
  let root = open({ path });
  const openDb = () => root.openDB<SnapshotRecord, number>({ name: 'snapshots' });
  t.teardown(() => root.close());
  return {
    db: openDb(),
    async reopen() {
      await root.close();
      root = open({ path });
      return openDb();
    },
  };
}

const create = (metadata: Metadata, name: string, parent = '') =>
  metadata.change((catalogue) => catalogue.create('active', catalogue.takeId(), name, parent, {}));

t.test('what was answered is there after a restart', async (t) => {
  const { db, reopen } = database(t);
  const metadata = new Metadata(db);
  const names = Array.from({ length: 50 }, (_, i) => `s${i}`);
  await Promise.all(names.map((name) => create(metadata, name)));
  await metadata.change((catalogue) => catalogue.commit('c', 's0', {}, { sizeBytes: 1, inodes: 1 }));
  await metadata.change((catalogue) => catalogue.remove('s1'));
  const { catalogue } = new Metadata(await reopen());
  t.same(
    catalogue
      .all()
      .map(({ name }) => name)
      .toSorted(),
    ['c', ...names.slice(2)].toSorted(),
  );
  catalogue.checkInvariants();
});

t.test('a change that is refused changes nothing and leaves its batch alone', async (t) => {
  const metadata = new Metadata(database(t).db);
  const results = await Promise.allSettled([
    create(metadata, 'a'),
    create(metadata, 'a'),
    create(metadata, 'b'),
  ]);
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  metadata.catalogue.checkInvariants();
});

t.test(
  'when the disk refuses, memory goes back to what is on disk, and ids are not used again',
  async (t) => {
    const { db } = database(t);
    const metadata = new Metadata(db);
    const first = await create(metadata, 'kept');
    const whole = db.transaction.bind(db);
    db.transaction = () => Promise.reject(new Error('no space'));
    await t.rejects(Promise.all([create(metadata, 'lost'), create(metadata, 'lost too')]), /no space/);
    db.transaction = whole;
    t.same(
      metadata.catalogue.all().map(({ name }) => name),
      ['kept'],
    );
    const next = await create(metadata, 'next');
    t.ok(next.id > first.id + 2);
    metadata.catalogue.checkInvariants();
  },
);

t.test('changes during a write wait for it, and `settled` for all', async (t) => {
  const metadata = new Metadata(database(t).db);
  const done: string[] = [];
  const one = create(metadata, 'one').then(() => done.push('one'));
  await Promise.resolve();
  const two = create(metadata, 'two').then(() => done.push('two'));
  await metadata.settled();
  await Promise.all([one, two]);
  t.same(done, ['one', 'two']);
});
