import t from 'tap';
import { createCollector, type Keeping } from './collector.ts';
import { createGate } from './gate.ts';
import {
  digest,
  layerRecord,
  memoryBlocks,
  memoryMounts,
  memoryRecords,
  memoryVolumes,
  pageBlock,
  pageVolume,
} from './twins.ts';

/** `volumes`: what the cluster has to do with each; `promised`: blocks that are pinned here. */
function setUp(volumes = new Map<string, ReturnType<Keeping['volume']>>(), promised = new Set<string>()) {
  const parts = {
    records: memoryRecords(),
    blocks: memoryBlocks(),
    volumes: memoryVolumes(),
    mounts: memoryMounts(),
    gate: createGate(),
    keeping: {
      volume: (root: string) => volumes.get(root) ?? ('unknown' as const),
      isWhole: () => !promised.has('an index is missing'),
      keepsBlock: (id: string) => promised.has(id),
    },
    dropped: 0,
    onDropped: () => void parts.dropped++,
  };
  async function add(chain: string, numbers: number[]): Promise<string> {
    const { root, encoded } = pageVolume(numbers);
    for (const n of numbers) await parts.blocks.put(pageBlock(n).id, pageBlock(n).bytes);
    await parts.volumes.put(root, encoded);
    await parts.records.put(layerRecord(digest(chain), root));
    await parts.mounts.ensure(root);
    return root;
  }
  const here = (n: number) => parts.blocks.has(pageBlock(n).id);
  return { ...parts, parts, add, here, collector: createCollector(parts) };
}

t.test('dropping a layer frees its blocks but not those that another volume names', async (t) => {
  const { add, here, collector, volumes, records, mounts } = setUp();
  const gone = await add('a', [1, 2, 3]);
  const kept = await add('b', [4, 3]);
  await collector.drop(digest('a'));
  t.same([1, 2, 3, 4].map(here), [false, false, true, true]);
  t.same([volumes.has(gone), volumes.has(kept)], [false, true]);
  t.same([...mounts.mounted()], [kept]);
  t.equal(records.get(digest('a')), undefined);
});

t.test('dropping a layer whose volume another layer uses keeps the volume', async (t) => {
  const { add, here, collector, volumes } = setUp();
  const root = await add('a', [1, 2]);
  await add('b', [1, 2]);
  await collector.drop(digest('a'));
  t.ok(volumes.has(root));
  t.ok(here(1) && here(2));
});

t.test('dropping an unknown layer does nothing', async (t) => {
  const { add, here, collector } = setUp();
  await add('a', [1]);
  await collector.drop(digest('f'));
  t.ok(here(1));
});

t.test('a sweep removes indexes without a record and blocks without an index', async (t) => {
  const { add, here, collector, blocks, volumes, records } = setUp();
  await add('a', [1, 2]);
  const orphan = await add('b', [2, 3]);
  await records.remove(digest('b'));
  await blocks.put(pageBlock(9).id, pageBlock(9).bytes);
  t.same(await collector.sweep(), { volumes: 1, blocks: 2 });
  t.notOk(volumes.has(orphan));
  t.same([1, 2, 3, 9].map(here), [true, true, false, false]);
});

t.test(
  'a layer that the cluster keeps goes with its mount only: custody decides on its blocks',
  async (t) => {
    const cluster = new Map<string, 'kept'>();
    const { add, here, collector, volumes, records, mounts, parts } = setUp(cluster);
    const root = await add('a', [1, 2]);
    cluster.set(root, 'kept');
    await collector.drop(digest('a'));
    t.equal(records.get(digest('a')), undefined);
    t.same([...mounts.mounted()], []);
    t.ok(volumes.has(root) && here(1) && here(2));
    t.equal(parts.dropped, 1, 'custody is told');
    t.same(await collector.sweep(), { volumes: 0, blocks: 0 });
    t.ok(here(1));
  },
);

t.test('a removed volume keeps its index until custody has freed its blocks', async (t) => {
  const cluster = new Map<string, 'removed'>();
  const { add, collector, volumes, blocks } = setUp(cluster);
  const root = await add('a', [1, 2]);
  await add('b', [2, 3]);
  cluster.set(root, 'removed');
  await collector.drop(digest('a'));
  t.same(await collector.sweep(), { volumes: 0, blocks: 0 });
  t.ok(volumes.has(root));
  await blocks.remove(pageBlock(1).id);
  t.same(await collector.sweep(), { volumes: 1, blocks: 0 });
  t.notOk(volumes.has(root));
});

t.test('a block that is promised stays, also without any index', async (t) => {
  const promised = new Set([pageBlock(9).id]);
  const { here, collector, blocks } = setUp(new Map(), promised);
  for (const n of [8, 9]) await blocks.put(pageBlock(n).id, pageBlock(n).bytes);
  t.same(await collector.sweep(), { volumes: 0, blocks: 1 });
  t.same([8, 9].map(here), [false, true]);
});

t.test('while the index of a volume is missing, blocks that no index names stay', async (t) => {
  const promised = new Set(['an index is missing']);
  const { here, collector, blocks } = setUp(new Map(), promised);
  await blocks.put(pageBlock(8).id, pageBlock(8).bytes);
  t.same(await collector.sweep(), { volumes: 0, blocks: 0 });
  t.ok(here(8));
  promised.clear();
  t.same(await collector.sweep(), { volumes: 0, blocks: 1 });
});
