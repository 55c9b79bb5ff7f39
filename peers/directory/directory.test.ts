/** What a directory answers: who says what of a layer, a name, a checkpoint, and what removals and revocations do to it. */
import t from 'tap';
import { checkpoint, DAY_MS, DirectoryBed, digest, layer, ref, sha, shown } from './bed.twin.ts';
import { MemoryRecordStore } from './memory.ts';
import type { Held, StoredRecord } from './types.ts';

const nodes = (held: readonly Held[]) => held.map(({ node }) => node).sort();

t.test('records are found by what they are of, and by nothing else', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const [lowest, upper] = [layer('a'), layer('b', { parent: layer('a').chainId })];
  await directory.publish('layer', lowest);
  await directory.put(await bed.record('n2', 'layer', upper));
  await directory.put(await bed.record('n3', 'layer', upper));
  await directory.put(await bed.record('n2', 'layer', layer('b', { origin: 'copied' })));
  await directory.publish('ref', ref('app:1', [lowest.chainId, upper.chainId]));
  await directory.publish('checkpoint', checkpoint('c1'));
  t.match(directory.layersByChainId(lowest.chainId), [{ node: 'n1', content: lowest }]);
  t.same(nodes(directory.layersByChainId(upper.chainId)), ['n2', 'n3']);
  t.same(nodes(directory.layersByDiffId(digest('diff of b'))), ['n2', 'n2', 'n3'], 'whatever is below');
  t.match(directory.refs('app:1'), [{ node: 'n1', content: ref('app:1', [lowest.chainId, upper.chainId]) }]);
  t.match(directory.checkpoint('c1'), [{ node: 'n1', content: checkpoint('c1') }]);
  t.same(directory.layersByChainId(digest('none')), []);
  t.same(directory.refs('app:2'), []);
  t.equal(directory.size, 6);
});

t.test('putting a record again changes nothing, and tells nobody', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const told: string[] = [];
  const stop = directory.onAdd(({ id }, record) => told.push(`${id} ${record.signature.length}`));
  const record = await bed.record('n2', 'layer', layer('a'));
  const results = await Promise.all([directory.put(record), directory.put(record)]);
  t.same(results.sort(), ['added', 'known']);
  t.equal(await directory.put(record), 'known');
  t.equal(directory.size, 1);
  t.equal(told.length, 1);
  stop();
  await directory.publish('layer', layer('b'));
  t.equal(told.length, 1, 'nor anybody who has stopped listening');
});

t.test('what a node says already is not signed anew, after a restart neither', async (t) => {
  const bed = await DirectoryBed.make(t);
  const store = new MemoryRecordStore();
  const { directory } = await bed.directory('n1', { store });
  const first = await directory.publish('layer', layer('a'));
  bed.clock.advance(1000);
  t.same(await directory.publish('layer', layer('a')), first);
  const again = (await bed.directory('n1', { store })).directory;
  t.same(await again.publish('layer', layer('a')), first);
  t.same(
    await again.publish('layer', layer('a', { origin: 'copied' })),
    first,
    'it has made the root itself',
  );
  t.equal(again.size, 1);
});

t.test('the newest that a node says of one thing takes the place of what it said before', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const old = await bed.record('n2', 'ref', ref('app:latest', [layer('a').chainId]), bed.clock.wallMs - 5);
  await directory.put(old);
  await directory.put(await bed.record('n2', 'ref', ref('app:latest', [layer('b').chainId])));
  await directory.put(await bed.record('n3', 'ref', ref('app:latest', [layer('a').chainId])));
  t.same(
    directory
      .refs('app:latest')
      .map(({ node, content }) => [node, ...content.chainIds])
      .sort(),
    [
      ['n2', layer('b').chainId],
      ['n3', layer('a').chainId],
    ],
  );
  await t.rejects(directory.put(old), { name: 'RecordError', reason: 'superseded', signer: 'n2' });
  t.equal(directory.size, 2);
  await directory.publish('layer', layer('a', { origin: 'copied' }));
  await directory.publish('layer', layer('a', { root: sha('another'), origin: 'ingested' }));
  t.match(directory.layersByChainId(layer('a').chainId), [{ content: { root: sha('another') } }]);
});

t.test('removing an image ends its refs on all nodes, and the layers that no other image has', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const [shared, own] = [layer('shared'), layer('own')];
  for (const node of ['n2', 'n3']) {
    for (const content of [shared, own]) await directory.put(await bed.record(node, 'layer', content));
    await directory.put(await bed.record(node, 'ref', ref('app:1', [shared.chainId, own.chainId])));
  }
  await directory.put(await bed.record('n2', 'ref', ref('other:1', [shared.chainId])));
  t.match(await directory.removeImage('app:1'), [{ content: { image: 'app:1', chainIds: [own.chainId] } }]);
  t.same(directory.refs('app:1'), []);
  t.same(directory.layersByChainId(own.chainId), []);
  t.same(directory.layersByDiffId(own.diffId), []);
  t.same(nodes(directory.layersByChainId(shared.chainId)), ['n2', 'n3']);
  t.same(nodes(directory.refs('other:1')), ['n2']);
  t.same(await directory.removeImage('app:1'), [], 'nothing is left to remove');
});

t.test(
  'after a removal a pull counts again, also in the same millisecond and under a slower clock',
  async (t) => {
    const bed = await DirectoryBed.make(t);
    const { directory } = await bed.directory('n1');
    const pull = async () => {
      await directory.publish('layer', layer('a'));
      await directory.publish('ref', ref('app:1', [layer('a').chainId]));
    };
    await pull();
    for (const ms of [0, -60_000, 1000]) {
      await directory.removeImage('app:1');
      t.same([...directory.refs('app:1'), ...directory.layersByChainId(layer('a').chainId)], []);
      bed.clock.wallMs += ms;
      await pull();
      t.equal(directory.refs('app:1').length, 1);
      t.equal(directory.layersByChainId(layer('a').chainId).length, 1);
    }
  },
);

t.test('a removal ends records of a faster clock too', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  await directory.put(
    await bed.record('n2', 'ref', ref('app:1', [layer('a').chainId]), bed.clock.wallMs + 5 * 60_000),
  );
  await directory.removeImage('app:1');
  t.same(directory.refs('app:1'), []);
});

t.test('a removal by ids ends those and no others; removals and revocations cannot be ended', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const kept = await directory.publish('checkpoint', checkpoint('c1'));
  const ended = await directory.publish('checkpoint', checkpoint('c2'));
  await directory.publish('layer', layer('a'));
  const removal = await directory.publish('removal', {
    image: '',
    chainIds: [layer('a').chainId],
    recordIds: [ended.id],
  });
  await directory.publish('removal', { image: '', chainIds: [], recordIds: [removal.id] });
  t.match(directory.checkpoint('c1'), [{ id: kept.id }]);
  t.same(directory.checkpoint('c2'), []);
  t.same(directory.layersByChainId(layer('a').chainId), []);
});

t.test('what says a removed checkpoint again does not bring it back, whichever arrives first', async (t) => {
  const bed = await DirectoryBed.make(t);
  const [near, far] = [(await bed.directory('n1')).directory, (await bed.directory('n2')).directory];
  const first = await near.publish('checkpoint', checkpoint('c1'));
  await far.put(near.record(first.id)!);
  const removal = await near.publish('removal', { image: '', chainIds: [], recordIds: [first.id] });
  bed.clock.advance(1000);
  const again = await far.publish('checkpoint', { ...checkpoint('c1'), repeats: first.id });
  await near.put(far.record(again.id)!);
  await far.put(near.record(removal.id)!);
  t.same([...near.checkpoint('c1'), ...far.checkpoint('c1')], []);
  t.same(near.digests(), far.digests(), 'both have the same');

  const another = await near.publish('checkpoint', checkpoint('c1'));
  t.match(near.checkpoint('c1'), [{ id: another.id }], 'a new one of the same name counts');
});

t.test('a signer whose certificate has expired still counts; one that is revoked does not', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const notAfter = new Date(bed.clock.wallMs + DAY_MS);
  const [short, bad] = [await bed.crafted({ name: 'short', notAfter }), await bed.crafted({ name: 'bad' })];
  for (const signer of [short, bad]) await directory.put(await bed.record(signer, 'layer', layer('a')));
  bed.clock.advance(3 * DAY_MS);
  t.same(nodes(directory.layersByChainId(layer('a').chainId)), ['bad', 'short']);
  const late = await bed.record(short, 'layer', layer('b'), bed.clock.wallMs - 2.5 * DAY_MS);
  t.equal(await directory.put(late), 'added', 'one that was made in time and came late');

  const before = await bed.record(bad, 'layer', layer('b'), bed.clock.wallMs - DAY_MS);
  await directory.put(await bed.revocation(bad));
  t.same(nodes(directory.layersByChainId(layer('a').chainId)), ['short']);
  await t.rejects(directory.put(before), { name: 'RecordError', reason: 'revoked', signer: 'bad' });
  t.equal(directory.size, 3, 'its records are gone');
});

t.test('what a revoked node has removed is there again', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const bad = await bed.crafted({ name: 'bad' });
  await directory.publish('ref', ref('app:1', [layer('a').chainId]));
  await directory.put(await bed.record(bad, 'removal', { image: 'app:1', chainIds: [], recordIds: [] }));
  t.same(directory.refs('app:1'), []);
  await directory.put(await bed.revocation(bad));
  t.same(nodes(directory.refs('app:1')), ['n1']);
});

t.test('a node that is revoked itself can publish no more', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  await directory.put(await bed.revocation(await bed.node('n1')));
  await t.rejects(directory.publish('layer', layer('a')), { name: 'RecordError', reason: 'revoked' });
});

t.test('a new certificate under the same name is another key, and counts', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const [lost, fresh] = [await bed.crafted({ name: 'n2' }), await bed.crafted({ name: 'n2' })];
  await directory.put(await bed.revocation(lost));
  await directory.put(await bed.record(fresh, 'layer', layer('a')));
  await t.rejects(directory.put(await bed.record(lost, 'layer', layer('a'))), {
    name: 'RecordError',
    reason: 'revoked',
  });
  t.same(nodes(directory.layersByChainId(layer('a').chainId)), ['n2']);
});

/** Counts what is read. */
class CountingStore extends MemoryRecordStore {
  reads = 0;

  override get(id: string): StoredRecord | undefined {
    this.reads++;
    return super.get(id);
  }

  override under(key: Buffer) {
    this.reads++;
    return super.under(key);
  }

  override ids(): never {
    throw new Error('a look-up went through all records');
  }
}

t.test('a look-up reads what it is about, however many records there are', async (t) => {
  const bed = await DirectoryBed.make(t);
  const store = new CountingStore();
  const { directory } = await bed.directory('n1', { store });
  const fill = async (from: number, to: number) => {
    const names = Array.from({ length: to - from }, (_, i) => `l${from + i}`);
    await Promise.all(
      names.map(async (name) => {
        await directory.put(await bed.record('n2', 'layer', layer(name)));
        await directory.put(await bed.record('n2', 'ref', ref(name, [layer(name).chainId])));
      }),
    );
  };
  const cost = (look: () => readonly Held[]) => {
    const before = store.reads;
    t.equal(look().length, 1);
    return store.reads - before;
  };
  const costs = () => [
    cost(() => directory.layersByChainId(layer('l3').chainId)),
    cost(() => directory.layersByDiffId(layer('l3').diffId)),
    cost(() => directory.refs('l3')),
  ];
  await fill(0, 10);
  const few = costs();
  await fill(10, 1000);
  t.same(costs(), few);
  t.ok(
    few.every((reads) => reads <= 4),
    `${few} reads`,
  );
});

t.test('what was ended is kept, and is not among the records that count', async (t) => {
  const bed = await DirectoryBed.make(t);
  const { directory } = await bed.directory('n1');
  const { id } = await directory.publish('layer', layer('a'));
  await directory.publish('ref', ref('app:1', [layer('a').chainId]));
  t.ok(shown(directory).includes(`layer ${id}`));
  const [removal] = await directory.removeImage('app:1');
  t.same(shown(directory), [`removal ${removal!.id}`]);
  t.equal(directory.size, 3);
});
