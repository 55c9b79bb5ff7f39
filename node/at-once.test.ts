import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { atOnce } from './at-once.ts';

t.test('things are begun in their order, never more than so many at a time, each once', async (t) => {
  const begun: number[] = [];
  let [running, most] = [0, 0];
  await atOnce(Array(20).keys(), 3, async (i) => {
    begun.push(i);
    most = Math.max(most, ++running);
    await turn();
    running--;
  });
  t.same(begun, [...Array(20).keys()]);
  t.equal(most, 3);
});

t.test('the first failure is told', async (t) => {
  await t.rejects(
    atOnce([1, 2, 3], 2, (i) => (i === 2 ? Promise.reject(new Error('two')) : Promise.resolve())),
    { message: 'two' },
  );
});
