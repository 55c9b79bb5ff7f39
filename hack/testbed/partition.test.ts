import t from 'tap';
import { partition } from './partition.ts';

const machines = ['n1', 'n2', 'n3', 'registry'];

/** Who can talk to whom, as sorted groups. */
function groups(cuts: string[][]): string[] {
  const byClass = new Map<number, string[]>();
  for (const [name, number] of partition(machines, cuts))
    byClass.set(number, [...(byClass.get(number) ?? []), name]);
  return [...byClass.values()].map((group) => group.join(' ')).sort();
}

t.test('without cuts all are together', async (t) => t.same(groups([]), ['n1 n2 n3 registry']));

t.test('a cut separates its group from the rest, and leaves each side together', async (t) =>
  t.same(groups([['n1', 'registry']]), ['n1 registry', 'n2 n3']),
);

t.test('several cuts hold at once', async (t) => {
  t.same(groups([['n1', 'registry'], ['registry']]), ['n1', 'n2 n3', 'registry']);
  t.same(
    groups([
      ['n1', 'n2'],
      ['n2', 'n3'],
    ]),
    ['n1', 'n2', 'n3', 'registry'],
  );
});

t.test('the same cut twice, or its complement, changes nothing', async (t) => {
  t.same(groups([['n1'], ['n1'], ['n2', 'n3', 'registry']]), ['n1', 'n2 n3 registry']);
});

t.test('machines in no group keep the first switch', async (t) =>
  t.equal(partition(machines, [['n1']]).get('n2'), 0),
);
