import t, { type Test } from 'tap';
import { checkpoint, DirectoryBed, layer, ref, shuffled } from '../directory/bed.twin.ts';
import type { Directory } from '../directory/directory.ts';
import type { SignedRecord } from '../directory/types.ts';
import type { VolumeBlocks } from './custody.ts';
import { Catalogue } from './known-volumes.ts';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function until(isSo: () => boolean): Promise<void> {
  for (let turns = 0; !isSo(); turns++) {
    if (turns > 10_000) throw new Error(`does not come to be: ${isSo}`);
    await turn();
  }
}

/** Indexes that are here, and those that others have. */
class IndexesTwin {
  readonly here = new Set<string>();
  readonly elsewhere = new Set<string>();
  readonly asked: string[] = [];
  /** Fetches wait for it. */
  gate: Promise<void> = Promise.resolve();
  running = 0;
  mostAtOnce = 0;

  has(root: string): boolean {
    return this.here.has(root);
  }

  async blocks(root: string): Promise<VolumeBlocks | undefined> {
    return this.here.has(root) ? { root, blockCount: 0, blockId: () => '', offset: () => 0 } : undefined;
  }

  async fetch(root: string): Promise<void> {
    this.asked.push(root);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.running);
    await turn();
    await this.gate;
    this.running--;
    if (!this.elsewhere.has(root)) throw new Error('nobody has it');
    this.here.add(root);
  }
}

async function setUp(t: Test) {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const indexes = new IndexesTwin();
  const changes = { count: 0 };
  const open = (over: Directory = directory) => {
    const catalogue: Catalogue = new Catalogue({
      directory: over,
      volumes: indexes,
      fetchIndex: (root) => indexes.fetch(root),
      clock: bed.clock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      onChange: () => changes.count++,
    });
    t.teardown(() => catalogue.stop());
    return catalogue;
  };
  /** Makes a layer here, as ingest does: the index first, then the record. */
  const ingest = async (name: string) => {
    const content = layer(name);
    indexes.here.add(content.root);
    await directory.publish('layer', content);
    return content;
  };
  /** Another node's word. */
  const told = async (name: string, by = 'n2') => {
    const content = layer(name);
    const record = await bed.record(by, 'layer', content);
    await directory.put(record);
    return content;
  };
  return { bed, directory, indexes, changes, open, ingest, told };
}

const shown = (catalogue: Catalogue) => ({
  living: [...catalogue.living()].sort(),
  removed: [...catalogue.removed()].sort(),
});

t.test('a layer that was made here is living in the turn in which its record is told of', async (t) => {
  const { directory, open, ingest, changes } = await setUp(t);
  const catalogue = open();
  await catalogue.start();
  const before = catalogue.version;
  const seen: unknown[] = [];
  directory.onAdd(() => seen.push([catalogue.version, [...catalogue.living()].length]));
  const { root } = await ingest('a');
  t.ok(catalogue.isLiving(root));
  t.same(seen, [[before + 1, 1]]);
  t.equal(changes.count, 1);
  t.equal((await catalogue.blocks(root))?.root, root);
});

t.test(
  'a volume is known only once its index is here: fetched, with delays when nobody has it',
  async (t) => {
    const { bed, indexes, open, told } = await setUp(t);
    const catalogue = open();
    await catalogue.start();
    const { root } = await told('far');
    await until(() => indexes.asked.length === 1 && indexes.running === 0);
    t.notOk(catalogue.isLiving(root));
    const version = catalogue.version;
    for (let tries = 2; tries <= 4; tries++) {
      await until(() => bed.clock.waiting > 0);
      bed.clock.advance(10);
      await turn();
      t.equal(indexes.asked.length, tries - 1, 'not again at once');
      indexes.elsewhere[tries === 4 ? 'add' : 'delete'](root);
      bed.clock.advance(60_000);
      await until(() => indexes.asked.length === tries && indexes.running === 0);
    }
    await until(() => catalogue.isLiving(root));
    t.equal(catalogue.version, version + 1);
  },
);

t.test(
  'after a restart: volumes whose index is here are known at once, missing indexes are fetched',
  async (t) => {
    const { indexes, open, ingest, told } = await setUp(t);
    const here = await ingest('here');
    const far = await told('far');
    indexes.elsewhere.add(far.root);
    const catalogue = open();
    await catalogue.start();
    t.ok(catalogue.isLiving(here.root));
    await until(() => catalogue.isLiving(far.root));
    t.same(indexes.asked, [far.root]);
  },
);

t.test(
  'many missing indexes: a few are fetched at once, and those that nobody has do not hold up new ones',
  async (t) => {
    const { bed, directory, indexes, open } = await setUp(t);
    const catalogue = open();
    await catalogue.start();
    const names = Array.from({ length: 12 }, (_, i) => `nowhere ${i}`);
    const records = await Promise.all(names.map((name) => bed.record('n2', 'layer', layer(name))));
    await Promise.all(records.map((record) => directory.put(record)));
    await until(() => indexes.asked.length === 12 && indexes.running === 0);
    t.equal(indexes.mostAtOnce, 4);
    await turn();
    const { promise, resolve } = Promise.withResolvers<void>();
    indexes.gate = promise;
    bed.clock.advance(60_000);
    t.equal(indexes.running, 4, 'all are due again');
    const { root } = layer('somewhere');
    indexes.elsewhere.add(root);
    await directory.put(await bed.record('n2', 'layer', layer('somewhere')));
    resolve();
    await until(() => catalogue.isLiving(root));
    t.equal(indexes.asked.indexOf(root), 12 + 4, 'the next after those that were running');
  },
);

t.test(
  'an image removed everywhere: its volumes are removed, but not what another image has too',
  async (t) => {
    const { directory, open, ingest, indexes } = await setUp(t);
    const [shared, own] = [await ingest('shared'), await ingest('own')];
    await directory.publish('ref', ref('one', [shared.chainId, own.chainId]));
    await directory.publish('ref', ref('two', [shared.chainId]));
    const catalogue = open();
    await catalogue.start();
    const before = catalogue.version;
    await directory.removeImage('one');
    t.same(shown(catalogue), { living: [shared.root], removed: [own.root] });
    t.equal(catalogue.version, before + 1);
    t.ok(await catalogue.blocks(own.root), 'whose blocks are to go');

    const again = open();
    await again.start();
    t.same(shown(again), { living: [shared.root], removed: [own.root] }, 'also after a restart');

    indexes.here.delete(own.root);
    t.equal(await catalogue.blocks(own.root), undefined);
    t.same(shown(catalogue), { living: [shared.root], removed: [] }, 'forgotten with its index');
  },
);

t.test('a removed volume that is made again is living again', async (t) => {
  const { directory, open, ingest } = await setUp(t);
  const catalogue = open();
  await catalogue.start();
  const { root, chainId } = await ingest('a');
  await directory.publish('removal', { image: '', chainIds: [chainId], recordIds: [] });
  t.same(shown(catalogue), { living: [], removed: [root] });
  await ingest('a');
  t.same(shown(catalogue), { living: [root], removed: [] });
});

t.test('a root that two layers have is living until neither has it', async (t) => {
  const { directory, open, indexes } = await setUp(t);
  const catalogue = open();
  await catalogue.start();
  const { root } = layer('empty');
  indexes.here.add(root);
  const layers = ['x', 'y'].map((name) => layer(name, { root }));
  for (const content of layers) await directory.publish('layer', content);
  const remove = (at: number) =>
    directory.publish('removal', { image: '', chainIds: [layers[at]!.chainId], recordIds: [] });
  await remove(0);
  t.same(shown(catalogue), { living: [root], removed: [] });
  await remove(1);
  t.same(shown(catalogue), { living: [], removed: [root] });
});

t.test(
  'records that end by their ids or with their signer take their volumes along, unless others say the same',
  async (t) => {
    const { bed, directory, open, told, indexes } = await setUp(t);
    const [a, b, c] = [layer('a'), layer('b'), layer('c')];
    for (const { root } of [a, b, c]) indexes.here.add(root);
    await told('a', 'bad');
    await told('b', 'bad');
    await told('b', 'good');
    const record = await bed.record('good', 'layer', layer('c'));
    await directory.put(record);
    const catalogue = open();
    await catalogue.start();
    await directory.put(await bed.revocation(await bed.node('bad')));
    await until(() => !catalogue.isLiving(a.root));
    t.same(shown(catalogue), { living: [b.root, c.root].sort(), removed: [a.root] });
    const [held] = directory.layersByChainId(layer('c').chainId);
    await directory.publish('removal', { image: '', chainIds: [], recordIds: [held!.id] });
    await until(() => !catalogue.isLiving(c.root));
    t.same(shown(catalogue), { living: [b.root], removed: [a.root, c.root].sort() });
  },
);

t.test("when who removed a layer is revoked, the layer's volume lives again", async (t) => {
  const { bed, directory, open, ingest } = await setUp(t);
  const { root, chainId } = await ingest('a');
  const catalogue = open();
  await catalogue.start();
  await directory.put(await bed.record('bad', 'removal', { image: '', chainIds: [chainId], recordIds: [] }));
  t.same(shown(catalogue).removed, [root]);
  await directory.put(await bed.revocation(await bed.node('bad')));
  await until(() => catalogue.isLiving(root));
  t.same(shown(catalogue).removed, []);
});

t.test(
  'a living volume whose index is lost stays living, cannot be read, and is fetched again',
  async (t) => {
    const { indexes, open, ingest } = await setUp(t);
    const catalogue = open();
    await catalogue.start();
    const { root } = await ingest('a');
    const { version } = catalogue;
    indexes.here.delete(root);
    indexes.elsewhere.add(root);
    t.equal(await catalogue.blocks(root), undefined);
    t.ok(catalogue.isLiving(root));
    await until(() => indexes.has(root));
    t.ok(await catalogue.blocks(root));
    t.equal(catalogue.version, version);
  },
);

t.test("a checkpoint's volumes are living until its records are removed", async (t) => {
  const { directory, indexes, open } = await setUp(t);
  const content = checkpoint('c1');
  const roots = [content.memory, ...content.volumes].sort();
  for (const root of roots) indexes.here.add(root);
  const catalogue = open();
  await catalogue.start();
  const { id } = await directory.publish('checkpoint', content);
  t.same(shown(catalogue), { living: roots, removed: [] });
  const again = open();
  await again.start();
  t.same(shown(again), { living: roots, removed: [] }, 'after a restart');
  await directory.publish('removal', { image: '', chainIds: [], recordIds: [id] });
  await until(() => catalogue.removed()[Symbol.iterator]().next().done === false);
  t.same(shown(catalogue), { living: [], removed: roots });
});

t.test('after stop nothing changes and nothing is fetched', async (t) => {
  const { bed, indexes, open, told, ingest, changes } = await setUp(t);
  const catalogue = open();
  await catalogue.start();
  await told('nowhere');
  await until(() => indexes.asked.length === 1 && indexes.running === 0);
  catalogue.stop();
  bed.clock.advance(600_000);
  await told('later');
  await ingest('here');
  await turn();
  t.same(indexes.asked.length, 1);
  t.same([shown(catalogue).living, changes.count], [[], 0]);
});

t.test('the order in which records come makes no difference', async (t) => {
  const { bed, indexes, open } = await setUp(t);
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.comment(`seed ${seed}`);
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return Math.floor((state / 2 ** 31) * limit);
  };
  const names = Array.from({ length: 12 }, (_, i) => `l${i}`);
  const records: SignedRecord[] = [];
  for (const name of names) {
    const content = layer(name, { root: layer(`r${below(6)}`).root });
    if (below(3) > 0) indexes.here.add(content.root);
    for (const by of ['n1', 'n2', 'n3'].slice(below(3)))
      records.push(await bed.record(by, 'layer', content, bed.clock.wallMs - below(1000)));
    const removal = { image: '', chainIds: [content.chainId], recordIds: [] };
    if (below(2) === 0)
      records.push(await bed.record('n4', 'removal', removal, bed.clock.wallMs - below(1000)));
  }
  records.push(await bed.revocation(await bed.node(below(2) === 0 ? 'n3' : 'n4')));
  const results: unknown[] = [];
  for (let order = 0; order < 6; order++) {
    const { directory } = await bed.directory('n1');
    const catalogue = open(directory);
    const isLate = order % 2 === 0;
    if (!isLate) await catalogue.start();
    for (const record of shuffled(records, below)) await directory.put(record).catch(() => {});
    if (isLate) await catalogue.start();
    for (let turns = 0; turns < 20; turns++) {
      await turn();
      bed.clock.advance(0);
    }
    catalogue.stop();
    results.push(shown(catalogue).living);
  }
  for (const result of results) t.same(result, results[0]);
  t.ok((results[0] as string[]).length > 0);
});
