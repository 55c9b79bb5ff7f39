/** IdSet against JavaScript's own set. */
import { hash } from 'node:crypto';
import t from 'tap';
import { IdSet } from './id-set.ts';

const idOf = (n: number) => hash('sha256', String(n), 'hex');

t.test('ids that were added are in it, others are not, whatever its size', async (t) => {
  const set = new IdSet();
  for (const upTo of [0, 1, 511, 512, 513, 20_000]) {
    for (let n = set.size; n < upTo; n++) set.add(idOf(n));
    t.equal(set.size, upTo);
    for (let n = 0; n < upTo; n++) if (!set.has(idOf(n))) t.fail(`${n} is missing of ${upTo}`);
    for (let n = upTo; n < upTo + 20_000; n++) if (set.has(idOf(n))) t.fail(`${n} is there of ${upTo}`);
  }
});

t.test('an id that is added again counts once, and the id of zeros is an id', async (t) => {
  const set = new IdSet();
  const zeros = '0'.repeat(64);
  t.notOk(set.has(zeros));
  set.add(zeros);
  set.add(zeros);
  t.ok(set.has(zeros));
  t.equal(set.size, 1);
});
