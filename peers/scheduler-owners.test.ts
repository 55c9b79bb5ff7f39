import t from 'tap';
import { type Candidate, chooserAmong } from './scheduler-owners.ts';

const nobody = () => false;

function awaited(
  owners: readonly string[],
  self: string,
  candidates: readonly Candidate<string>[],
  refused: (source: string) => boolean,
): Set<string> {
  return chooserAmong(candidates)(owners, self, refused);
}

function candidate(name: string, changes: Partial<Candidate<string>> = {}): Candidate<string> {
  return { source: name, name, bytesPerSecond: 10e6, isSlack: false, isWhole: false, ...changes };
}

const seed = candidate('seed', { isWhole: true });
const all = [seed, candidate('a'), candidate('b'), candidate('c')];

t.test('a node that is no owner waits for the owners, and for nobody else', async (t) => {
  t.strictSame([...awaited(['a', 'b'], 'd', all, nobody)], ['a', 'b']);
});

t.test('an owner waits only for those before it, the first for nobody: no circle', async (t) => {
  const owners = ['b', 'a', 'c'];
  const waits = (self: string) => [...awaited(owners, self, all, nobody)];
  t.strictSame(waits('b'), []);
  t.strictSame(waits('a'), ['b']);
  t.strictSame(waits('c'), ['a', 'b']);
});

t.test('the first holder is not waited for, though it be an owner: it is who is spared', async (t) => {
  t.strictSame([...awaited(['seed', 'a'], 'd', all, nobody)], ['a']);
});

t.test('who has refused, stands still, crawls or has never answered is passed over', async (t) => {
  t.strictSame([...awaited(['a', 'b'], 'd', all, (source) => source === 'a')], ['b']);
  for (const bad of [{ isSlack: true }, { bytesPerSecond: 0.5e6 }, { name: 'somebody else' }]) {
    const candidates = [candidate('a', bad), candidate('b'), candidate('c')];
    t.strictSame([...awaited(['a', 'b'], 'd', candidates, nobody)], ['b'], JSON.stringify(bad));
  }
});

t.test('an owner whose rate is not known yet is waited for; without owners nobody is', async (t) => {
  t.strictSame(
    [...awaited(['a'], 'd', [candidate('a', { bytesPerSecond: undefined }), seed], nobody)],
    ['a'],
  );
  t.strictSame([...awaited([], 'd', all, nobody)], []);
});
