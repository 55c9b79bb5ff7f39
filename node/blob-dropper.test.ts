import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { Root } from '../blocks/types.ts';
import { logTwin } from '../peers/bed.twin.ts';
import { ClockTwin } from '../peers/directory/bed.twin.ts';
import { startBlobDropper } from './blob-dropper.ts';
import { openContainerd } from './containerd/containerd.ts';
import { startContainerdTwin, unpacked } from './containerd/twin.ts';
import { digest, layerRecord, memoryRecords } from './twins.ts';

const ROUND_MS = 5 * 60_000;
const [blobA, blobB, diffA, diffB] = ['a', 'b', '1', '2'].map(digest) as [string, string, string, string];
const [rootA, rootB] = ['a'.repeat(64), 'b'.repeat(64)];

async function setUp(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-dropper-'));
  const path = join(folder, 'c.sock');
  const twin = await startContainerdTwin(path);
  const containerd = openContainerd(path);
  const [clock, log, records] = [new ClockTwin(), logTwin(), memoryRecords()];
  const placed = new Set<Root>();
  let isPlaced = async (root: Root) => placed.has(root);
  const dropper = startBlobDropper({
    isPlaced: (root) => isPlaced(root),
    containerd,
    records,
    log,
    clock,
  });
  t.teardown(async () => {
    await dropper.stop();
    containerd.close();
    await twin.stop();
    await rm(folder, { recursive: true });
  });
  const put = (namespace: string, blob: string, labels: Record<string, string>) =>
    twin.namespace(namespace).blobs.set(blob, { bytes: Buffer.from('bytes'), labels });
  const left = (namespace: string) => [...twin.namespace(namespace).blobs.keys()];
  /** One whole round: the next one is due once it is over. */
  const round = async () => {
    while (clock.waiting === 0) await sleep(5);
    clock.advance(ROUND_MS);
    while (clock.waiting === 0) await sleep(5);
  };
  const answer = (by: typeof isPlaced) => {
    isPlaced = by;
  };
  return { twin, records, placed, log, clock, dropper, put, left, round, answer };
}

t.test(
  'a blob goes from every namespace once all owners keep its volume, and nothing else goes',
  async (t) => {
    const { records, placed, log, put, left, round } = await setUp(t);
    for (const namespace of ['default', 'k8s.io']) {
      put(namespace, blobA, unpacked(diffA));
      put(namespace, digest('c'), { 'containerd.io/gc.ref.content.config': digest('d') });
      put(namespace, blobB, unpacked(diffB));
    }
    await records.put(layerRecord(diffA, rootA));
    await round();
    t.equal(left('default').length, 3, 'not kept by its owners yet');
    placed.add(rootA).add(rootB);
    await round();
    t.same(left('default'), [digest('c'), blobB], 'no volume was made of the other blob');
    t.same(left('k8s.io'), [digest('c'), blobB]);
    t.match(log.lines[0]?.[1], { digest: blobA, sizeBytes: 5 });
  },
);

t.test('a layer over two parents has two volumes: its blob waits for both', async (t) => {
  const { records, placed, put, left, round } = await setUp(t);
  put('default', blobA, unpacked(diffA));
  await records.put(layerRecord(diffA, rootA));
  await records.put({ ...layerRecord(digest('9'), rootB), diffId: diffA, parent: digest('8') });
  placed.add(rootA);
  await round();
  t.same(left('default'), [blobA]);
  placed.add(rootB);
  await round();
  t.same(left('default'), []);
});

t.test('a blob that a lease holds stays in that namespace, until the lease has ended', async (t) => {
  const { twin, records, placed, put, left, round } = await setUp(t);
  for (const namespace of ['default', 'k8s.io']) put(namespace, blobA, unpacked(diffA));
  const resources = [{ type: 'content', id: blobA }];
  twin.namespace('default').leases.set('a pull', { labels: {}, resources });
  await records.put(layerRecord(diffA, rootA));
  placed.add(rootA);
  await round();
  t.same([left('default'), left('k8s.io')], [[blobA], []]);
  t.equal(resources.length, 1);
  twin.namespace('default').leases.clear();
  await round();
  t.same(left('default'), []);
});

t.test('a layer that is dropped here while its blocks are looked at keeps its blob', async (t) => {
  const { records, put, left, round, answer } = await setUp(t);
  put('default', blobA, unpacked(diffA));
  await records.put(layerRecord(diffA, rootA));
  answer(async () => {
    await records.remove(diffA);
    return true;
  });
  await round();
  t.same(left('default'), [blobA]);
});

t.test('where nobody can say whether a volume is kept, its blob stays', async (t) => {
  const { records, put, left, round, answer } = await setUp(t);
  put('default', blobA, unpacked(diffA));
  await records.put(layerRecord(diffA, rootA));
  answer(() => Promise.reject(new Error('no members')));
  await round();
  t.same(left('default'), [blobA]);
});

t.test('without containerd nothing happens, and it goes on with the next round', async (t) => {
  const { twin, log, clock, dropper, round } = await setUp(t);
  await twin.stop();
  await round();
  t.same(log.lines, []);
  t.equal(clock.waiting, 1);
  await dropper.stop();
  t.equal(clock.waiting, 0);
});
