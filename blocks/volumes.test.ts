import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { PAGE_BYTES } from './types.ts';
import { BadIndexError, encodeIndex, rootOf } from './volume.ts';
import { openVolumeStore } from './volumes.ts';

function anIndex(): { root: string; encoded: Buffer } {
  const id = randomBytes(32).toString('hex');
  const encoded = encodeIndex('erofs-tar-lz4-1', [{ id, sizeBytes: PAGE_BYTES, metadata: true }]);
  return { root: rootOf(encoded), encoded };
}

t.test('a published index is there, also for a fresh process', async (t) => {
  const dir = t.testdir();
  const store = await openVolumeStore(dir);
  const { root, encoded } = anIndex();
  t.equal(store.has(root), false);
  t.equal(await store.get(root), undefined);
  t.equal(await store.encoded(root), undefined);
  t.equal((await store.put(root, encoded)).root, root);
  await store.put(root, encoded);
  for (const one of [store, await openVolumeStore(dir)]) {
    t.equal(one.has(root), true);
    t.same(await one.encoded(root), encoded);
    t.equal((await one.get(root))!.blockCount, 1);
    t.same([...one.roots()], [root]);
  }
});

t.test('what another process publishes or removes is seen', async (t) => {
  const dir = t.testdir();
  const [one, other] = [await openVolumeStore(dir), await openVolumeStore(dir, { guest: true })];
  const { root, encoded } = anIndex();
  await other.put(root, encoded);
  t.equal(one.has(root), true);
  t.equal((await one.get(root))!.root, root);
  await other.remove(root);
  t.equal(one.has(root), false);
  await one.put(root, encoded);
  t.equal(other.has(root), true, 'a cached index is written again when its file is gone');
});

t.test('bytes under a wrong root, and bytes that are no index, are not published', async (t) => {
  const store = await openVolumeStore(t.testdir());
  const [a, b] = [anIndex(), anIndex()];
  await t.rejects(store.put(a.root, b.encoded), BadIndexError);
  const nonsense = Buffer.from('nonsense');
  await t.rejects(store.put(rootOf(nonsense), nonsense), BadIndexError);
  await t.rejects(store.put('../x', a.encoded), TypeError);
  t.same([...store.roots()], []);
});

t.test('an index that the disk spoiled is removed, told of and absent', async (t) => {
  const dir = t.testdir();
  const { root, encoded } = anIndex();
  await (await openVolumeStore(dir)).put(root, encoded);
  const spoiled = await readFile(join(dir, root));
  spoiled[40]! ^= 1;
  await writeFile(join(dir, root), spoiled);
  const told: string[] = [];
  const store = await openVolumeStore(dir, { onCorrupt: (which) => told.push(which) });
  t.equal(await store.get(root), undefined);
  t.equal(store.has(root), false);
  t.same(told, [root]);
});

t.test('leftovers of a crash are swept by the owner, not by a guest', async (t) => {
  const dir = t.testdir({ 'tmp-torn': 'half an ind' });
  await openVolumeStore(dir, { guest: true });
  t.equal(existsSync(join(dir, 'tmp-torn')), true);
  const store = await openVolumeStore(dir);
  t.equal(existsSync(join(dir, 'tmp-torn')), false);
  t.same([...store.roots()], []);
});

t.test('remove is idempotent', async (t) => {
  const store = await openVolumeStore(t.testdir());
  const { root, encoded } = anIndex();
  await store.put(root, encoded);
  await store.remove(root);
  await store.remove(root);
  t.equal(await store.get(root), undefined);
});
