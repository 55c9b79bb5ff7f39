/** Long loops in turns. */
import t from 'tap';
import { inTurns } from './turns.ts';

t.test('all items come in their order, and others have their turn after each slice', async (t) => {
  const seen: (number | string)[] = [];
  const other = setImmediate(() => seen.push('other'));
  t.teardown(() => clearImmediate(other));
  for await (const n of inTurns([1, 2, 3, 4], 2)) seen.push(n);
  t.same(seen, [1, 2, 'other', 3, 4]);
});
