import t from 'tap';
import { chainOf, kind, layerName, refTo } from './bed.twin.ts';
import { Catalogue } from './catalogue.ts';
import { SnapshotError } from './errors.ts';
import { isAt } from './record.ts';

const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 31);
const STEPS = 3_000;
const usage = { sizeBytes: 4096, inodes: 1 };

t.test('a name cannot be taken twice, a parent must be there and committed', async (t) => {
  const catalogue = new Catalogue();
  catalogue.create('active', catalogue.takeId(), 'a', '', {});
  const create = (name: string, parent: string) => () =>
    catalogue.create('active', catalogue.takeId(), name, parent, {});
  t.throws(create('a', ''), kind('already-exists'));
  t.throws(create('b', 'none'), kind('not-found'));
  t.throws(create('b', 'a'), kind('invalid-argument'));
  t.throws(create('', ''), kind('invalid-argument'));
  catalogue.checkInvariants();
});

t.test(
  'commit renames, replaces the labels and keeps the id; only an active snapshot can be committed',
  async (t) => {
    const catalogue = new Catalogue();
    const { id } = catalogue.create('active', catalogue.takeId(), 'a', '', { old: 'label' });
    const committed = catalogue.commit(layerName(7), 'a', refTo(7), usage);
    t.match(committed, { id, chainId: chainOf(7), usage, labels: refTo(7), layer: { at: 'directory' } });
    t.equal(catalogue.get('a'), undefined);
    t.throws(() => catalogue.commit('x', layerName(7), {}, usage), kind('failed-precondition'));
    catalogue.create('view', catalogue.takeId(), 'v', layerName(7), {});
    t.throws(() => catalogue.commit('x', 'v', {}, usage), kind('failed-precondition'));
    t.throws(() => catalogue.remove(layerName(7)), kind('failed-precondition'));
    catalogue.checkInvariants();
  },
);

t.test('an offer is found by its label and its parent, both', async (t) => {
  const catalogue = new Catalogue();
  catalogue.create('active', catalogue.takeId(), 'a', '', {});
  catalogue.commit(layerName(1), 'a', {}, usage);
  t.equal(catalogue.offered(chainOf(1), ''), undefined, 'no label');
  catalogue.update(layerName(1), refTo(1), []);
  t.equal(catalogue.offered(chainOf(1), '')?.name, layerName(1));
  t.equal(catalogue.offered(chainOf(1), layerName(1)), undefined, 'another parent');
});

t.test('ids are not used again after a load, also those that a swap has named', async (t) => {
  const catalogue = new Catalogue();
  catalogue.create('active', catalogue.takeId(), 'a', '', {});
  const record = catalogue.commit(layerName(1), 'a', {}, usage);
  for (let i = 0; i < 5; i++) catalogue.takeId();
  const before = catalogue.nextId;
  catalogue.setLayer(record, { at: 'swapped', root: 'r', before, bootId: 'b' });
  t.equal(new Catalogue(catalogue.all()).nextId, before);
});

t.test('the invariants hold after any sequence of changes', async (t) => {
  t.comment(`seed ${SEED}`);
  let state = SEED;
  const pick = (below: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  let catalogue = new Catalogue();
  const name = () => (pick(3) === 0 ? layerName(pick(30)) : `n${pick(30)}`);
  const changes = [
    () =>
      catalogue.create(
        pick(3) === 0 ? 'view' : 'active',
        catalogue.takeId(),
        name(),
        pick(4) ? name() : '',
        {},
      ),
    () => catalogue.commit(name(), name(), {}, usage),
    () => catalogue.remove(name()),
    () => catalogue.update(name(), { l: 'v' }, []),
    () => {
      const record = catalogue.need(name());
      const swapped = { at: 'swapped', root: 'r', before: catalogue.nextId, bootId: 'b' } as const;
      if (isAt(record, 'directory')) catalogue.setLayer(record, swapped);
    },
    () => {
      catalogue = new Catalogue(catalogue.all());
    },
  ];
  let refused = 0;
  for (let step = 0; step < STEPS; step++) {
    try {
      changes[pick(changes.length)]!();
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      refused++;
    }
    catalogue.checkInvariants();
  }
  t.ok(refused < STEPS);
});
