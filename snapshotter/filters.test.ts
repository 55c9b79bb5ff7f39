import t from 'tap';
import { kind } from './bed.twin.ts';
import { parseFilters } from './filters.ts';
import type { SnapshotInfo } from './types.ts';

const times = { createdAtMs: 0, updatedAtMs: 0 };
const INFOS: SnapshotInfo[] = [
  {
    name: 'a',
    kind: 'committed',
    parent: '',
    labels: { 'containerd.io/snapshot.ref': 'sha256:1', x: 'one' },
    ...times,
  },
  { name: 'b', kind: 'active', parent: 'a', labels: { 'x.y': 'two', 'odd "label"': 'here' }, ...times },
  { name: 'c/3/sha256:9', kind: 'view', parent: 'a', labels: {}, ...times },
];

const matching = (...filters: string[]) => INFOS.filter(parseFilters(filters)).map(({ name }) => name[0]);

t.test('no filter, or an empty one, matches everything', async (t) => {
  t.same(matching(), ['a', 'b', 'c']);
  t.same(matching(''), ['a', 'b', 'c']);
});

t.test('selectors compare a field', async (t) => {
  const cases: [string, string[]][] = [
    ['name==a', ['a']],
    ['name!=a', ['b', 'c']],
    ['kind==committed', ['a']],
    ['parent==a', ['b', 'c']],
    ['parent==""', ['a']],
    ['labels.x==one', ['a']],
    ['labels.x', ['a']],
    ['labels.x.y', ['b']],
    ['labels."x.y"==two', ['b']],
    ['labels.x!=one', ['b', 'c']],
    ['labels."containerd.io/snapshot.ref"==sha256:1', ['a']],
    ['labels."containerd.io/snapshot.ref"==sha256:1,parent==""', ['a']],
    ['labels."odd \\"label\\""==here', ['b']],
    ['name==c/3/sha256:9', ['c']],
    ['name=="c/3/\\u0073ha256:\\x39"', ['c']],
    ['nothing', []],
    ['nothing==a', []],
    [' name == a , kind == committed ', ['a']],
  ];
  for (const [filter, names] of cases) t.same(matching(filter), names, filter);
});

t.test('~= searches with a regular expression, however it is quoted', async (t) => {
  for (const filter of [
    'name~=^[ab]',
    'name~="^[ab]"',
    'name~=/^[ab]/',
    'name~=|^[ab]|',
    'name~=/(?i)^[AB]/',
  ]) {
    t.same(matching(filter), ['a', 'b'], filter);
  }
  t.same(matching('name~=/[/'), [], 'one that is none matches nothing');
});

t.test('selectors of one filter must all match, of several filters one must', async (t) => {
  t.same(matching('parent==a,kind==view'), ['c']);
  t.same(matching('name==a', 'kind==view'), ['a', 'c']);
});

t.test('what does not follow the grammar is an invalid argument', async (t) => {
  const wrong = [
    'name==a,',
    'labels.',
    'name==',
    'name=a',
    'name===a',
    '?name',
    'name==/x',
    'name=="x',
    'labels.|x|==a',
  ];
  for (const filter of [...wrong, 'name==a b', 'name=="\\q"', 'name=="\\UFFFFFFFF"']) {
    t.throws(() => parseFilters([filter]), kind('invalid-argument'), filter);
  }
});
