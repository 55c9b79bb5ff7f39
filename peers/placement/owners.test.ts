import t from 'tap';
import { MAX_MEMBERS, type Member, Owners } from './owners.ts';
import { SHARDS } from './shards.ts';

const GIB = 2 ** 30;
const members = (count: number, weight = (_: number) => 1): Member[] =>
  Array.from({ length: count }, (_, i) => ({ name: `n${i + 1}`, capacityBytes: weight(i) * 64 * GIB }));

function sets(owners: Owners): string[] {
  return Array.from({ length: SHARDS }, (_, shard) => owners.of(shard).join());
}

const countOf = (owned: Uint8Array) => owned.reduce((sum, bit) => sum + bit, 0);

t.test('members own shards in proportion to their weight, within five standard deviations', async (t) => {
  const all = members(100, (i) => 1 + (i % 4));
  const replicas = 2;
  const owners = Owners.of(all, replicas);
  const weights = all.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0);
  let squares = 0;
  for (const { name, capacityBytes } of all) {
    // No member is drawn twice for a shard, which takes a little from the heavy ones: under 2% at a hundredth of all weights.
    const mean = (SHARDS * replicas * capacityBytes) / weights;
    const deviation = (countOf(owners.ownedBy(name)) - mean) / Math.sqrt(mean);
    squares += deviation ** 2;
    t.ok(Math.abs(deviation) < 5, `${name} is ${deviation.toFixed(1)} standard deviations from its share`);
  }
  t.ok(squares / all.length < 1.6, `mean square of the deviations ${squares / all.length}`);
});

t.test('the first owner of a shard is drawn in exact proportion, however unequal the weights', async (t) => {
  const all = members(3, (i) => [1, 10, 100][i]!);
  const owners = Owners.of(all, 2);
  for (const [i, { name }] of all.entries()) {
    const share = [1, 10, 100][i]! / 111;
    const firsts = sets(owners).filter((set) => set.startsWith(`${name},`)).length;
    const deviation = (firsts - SHARDS * share) / Math.sqrt(SHARDS * share * (1 - share));
    t.ok(Math.abs(deviation) < 5, `${name}: ${firsts} firsts, ${deviation} standard deviations`);
  }
});

t.test('the order in which members are listed changes nothing', async (t) => {
  const all = members(20, (i) => 1 + (i % 3));
  const expected = sets(Owners.of(all, 3));
  t.same(sets(Owners.of([...all].reverse(), 3)), expected);
  t.same(sets(Owners.of([...all.slice(7), ...all.slice(0, 7)], 3)), expected);
});

t.test(
  'when a member joins, only shards change that it gets; when it leaves, only those that it had',
  async (t) => {
    const all = members(30);
    const newcomer = { name: 'newcomer', capacityBytes: 128 * GIB };
    const before = Owners.of(all, 2);
    const after = Owners.of([...all, newcomer], 2);
    const gained = after.ownedBy('newcomer');
    for (let shard = 0; shard < SHARDS; shard++) {
      const [was, is] = [before.of(shard), after.of(shard)];
      if (!gained[shard]) {
        if (is.join() !== was.join()) t.fail(`shard ${shard}: ${was} to ${is}`);
      } else if (is.filter((name) => !was.includes(name)).join() !== 'newcomer')
        t.fail(`shard ${shard}: ${was} to ${is}`);
    }
    const mean = (SHARDS * 2 * 2) / 32;
    t.ok(
      Math.abs(countOf(gained) - mean) < 5 * Math.sqrt(mean),
      `${countOf(gained)} gained, ${mean} expected`,
    );
  },
);

t.test(
  'a table made from the one before is the one made from nothing, through changes of all kinds',
  async (t) => {
    let all = members(12, (i) => 1 + (i % 3));
    let owners = Owners.of(all, 3);
    const changes: ((before: Member[]) => Member[])[] = [
      (before) => [...before, { name: 'a', capacityBytes: GIB }, { name: 'zz', capacityBytes: 200 * GIB }],
      (before) => before.filter(({ name }) => name !== 'n3'),
      (before) => [...before.filter(({ name }) => name !== 'n1'), { name: 'b', capacityBytes: 90 * GIB }],
      (before) =>
        before.map((member) => (member.name === 'n5' ? { ...member, capacityBytes: 7 * GIB } : member)),
      (before) => before.slice(0, 4),
      (before) => before.slice(0, 2),
      (before) => before.slice(0, 1),
      () => [],
      () => members(5),
    ];
    for (const change of changes) {
      all = change(all);
      owners = owners.next(all);
      t.same(sets(owners), sets(Owners.of(all, 3)), `${all.length} members`);
    }
    t.equal(owners.next([...all].reverse()), owners, 'no change, the same table');
  },
);

t.test('where members are fewer than replicas, all own everything', async (t) => {
  const owners = Owners.of(members(2), 3);
  for (const set of sets(owners)) t.ok(set === 'n1,n2' || set === 'n2,n1');
  t.equal(countOf(owners.ownedBy('n2')), SHARDS);
  t.equal(countOf(owners.ownedBy('n9')), 0);
  t.same(Owners.of([], 3).of(7), []);
});

t.test('members that cannot be are refused', async (t) => {
  const [one] = members(1) as [Member];
  t.throws(() => Owners.of([one, one], 2), /listed twice/);
  for (const capacityBytes of [0, -1, 1.5, 2 ** 60, Number.NaN]) {
    t.throws(() => Owners.of([{ ...one, capacityBytes }], 2), /capacity/);
  }
  for (const replicas of [0, 17, 1.5]) t.throws(() => Owners.of([one], replicas), /replicas/);
  t.throws(() => Owners.of(members(MAX_MEMBERS + 1), 2), /at most/);
});
