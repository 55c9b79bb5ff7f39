import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type Bed, chainOf, kind, layerName, makeBed, recordOf, refTo, rootOf, unpack } from './bed.twin.ts';
import { REF_LABEL } from './record.ts';
import type { SnapshotInfo } from './types.ts';

/** What containerd does after "already exists": it must find exactly this, or the pull fails. */
async function found({ snapshotter }: Bed, n: number, parent: string): Promise<SnapshotInfo[]> {
  const all: SnapshotInfo[] = [];
  const filter = `labels."${REF_LABEL}"==${chainOf(n)},parent==${JSON.stringify(parent)}`;
  for await (const info of snapshotter.list([filter])) if (info.kind === 'committed') all.push(info);
  return all;
}

const prepare = ({ snapshotter }: Bed, n: number, parent: string, key = `default/${n}/extract`) =>
  snapshotter.prepare(key, parent, { ...refTo(n), other: 'label' });

t.test('a layer that somebody has is offered: committed, labelled, mounted, durable', async (t) => {
  const bed = await makeBed(t);
  bed.layers.known.set(chainOf(1), recordOf(1, undefined));
  bed.layers.known.set(chainOf(2), recordOf(2, 1));
  await t.rejects(prepare(bed, 1, ''), kind('already-exists'));
  const [base] = await found(bed, 1, '');
  await t.rejects(prepare(bed, 2, base!.name), kind('already-exists'));
  const [top] = await found(bed, 2, base!.name);
  t.match(top, { kind: 'committed', parent: base!.name, labels: { other: 'label' } });

  const [mount] = await bed.snapshotter.prepare('default/9/container', top!.name, {});
  const lowers = mount!.options.find((option) => option.startsWith('lowerdir='))!.slice('lowerdir='.length);
  const roots = lowers.split(':').map((lower) => readFileSync(join(lower, 'volume'), 'utf8'));
  t.same(roots, [rootOf(2), rootOf(1)], 'nearest first');
  t.same([...bed.layers.active].toSorted(), [rootOf(1), rootOf(2)]);
  await bed.restart();
  t.equal((await found(bed, 2, base!.name)).length, 1);
  bed.snapshotter.checkInvariants();
});

t.test('a layer that nobody has is prepared the usual way', async (t) => {
  const bed = await makeBed(t);
  t.match(await prepare(bed, 1, ''), [{ type: 'bind', options: ['rw', 'rbind'] }]);
  t.same(await found(bed, 1, ''), []);
});

t.test('the same layer asked for at once by several is made once', async (t) => {
  const bed = await makeBed(t);
  bed.layers.known.set(chainOf(1), recordOf(1, undefined));
  let offers = 0;
  bed.layers.before = async (call) => {
    if (call === 'offer') offers++;
    await sleep(5);
  };
  const keys = Array.from({ length: 10 }, (_, i) => `ns${i}/1/extract`);
  for (const result of await Promise.allSettled(keys.map((key) => prepare(bed, 1, '', key)))) {
    t.match(result, { status: 'rejected', reason: { kind: 'already-exists' } });
  }
  t.equal((await found(bed, 1, '')).length, 1);
  t.equal(offers, 1);
});

t.test('a layer that was unpacked here under another name is found without asking anybody', async (t) => {
  const bed = await makeBed(t);
  await unpack(bed, 1);
  bed.layers.before = async () => void t.fail('nobody is to be asked');
  await t.rejects(prepare(bed, 1, '', 'other/1/extract'), kind('already-exists'));
  t.match(await found(bed, 1, ''), [{ name: layerName(1) }]);
});

t.test('whatever goes wrong with an offer is a miss, never "already exists"', async (t) => {
  const failures: Record<string, (bed: Bed) => void> = {
    'the lookup fails': ({ layers }) => {
      layers.before = () => Promise.reject(new Error('no neighbour'));
    },
    'the record is of another layer': ({ layers }) => layers.known.set(chainOf(1), recordOf(2, undefined)),
    'the record has another parent': ({ layers }) => layers.known.set(chainOf(1), recordOf(1, 7)),
  };
  for (const [name, fail] of Object.entries(failures)) {
    const bed = await makeBed(t);
    fail(bed);
    t.match(await prepare(bed, 1, ''), [{ type: 'bind' }], name);
    t.same(await found(bed, 1, ''), [], name);
    await bed.snapshotter.settled();
    t.same(bed.layers.released, [chainOf(1)], 'what was fetched in vain can go');
  }
});

t.test(
  'a parent that goes while the layer is looked for: an error of the parent, and the volume goes too',
  async (t) => {
    const bed = await makeBed(t);
    await unpack(bed, 1);
    bed.layers.known.set(chainOf(2), recordOf(2, 1));
    bed.layers.before = async (call) => {
      if (call === 'offer') await bed.snapshotter.remove(layerName(1));
    };
    await t.rejects(prepare(bed, 2, layerName(1)), kind('not-found'));
    await bed.snapshotter.settled();
    t.ok(bed.layers.released.includes(chainOf(2)));
    bed.snapshotter.checkInvariants();
  },
);

t.test('on a parent that is no known layer nothing is offered', async (t) => {
  const bed = await makeBed(t);
  await bed.snapshotter.prepare('p', '', {});
  await bed.snapshotter.commit('default/1/mine', 'p', {});
  bed.layers.known.set(chainOf(2), recordOf(2, undefined));
  t.match(await prepare(bed, 2, 'default/1/mine'), [{ type: 'overlay' }]);
});

t.test('a key that exists is not an offer', async (t) => {
  const bed = await makeBed(t);
  await prepare(bed, 1, '');
  await t.rejects(prepare(bed, 1, ''), kind('failed-precondition'));
});

t.test('a label that is no chainID is just a label', async (t) => {
  const bed = await makeBed(t);
  bed.layers.before = async () => void t.fail('nobody is to be asked');
  t.match(await bed.snapshotter.prepare('a', '', { [REF_LABEL]: 'sha256:short' }), [{ type: 'bind' }]);
});

t.test('the volume goes with the last snapshot of its layer', async (t) => {
  const bed = await makeBed(t);
  bed.layers.known.set(chainOf(1), recordOf(1, undefined));
  await t.rejects(prepare(bed, 1, ''), kind('already-exists'));
  const [offered] = await found(bed, 1, '');
  await unpack(bed, 1);
  await bed.snapshotter.remove(offered!.name);
  await bed.snapshotter.settled();
  t.same(bed.layers.released, [], 'another snapshot has it');
  await bed.snapshotter.remove(layerName(1));
  await bed.snapshotter.settled();
  t.same(bed.layers.released, [chainOf(1)]);
});
