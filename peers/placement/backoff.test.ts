import t from 'tap';
import { Backoff } from './backoff.ts';

t.test('each refusal doubles the wait, up to the bound; being accepted ends it', async (t) => {
  const backoff = new Backoff({ minMs: 10, maxMs: 35, maxEntries: 10 });
  t.ok(backoff.mayAsk('a', 0));
  const waits = [10, 20, 35, 35].map((expected) => {
    backoff.refused('a', 100);
    return [backoff.mayAsk('a', 99 + expected), backoff.mayAsk('a', 100 + expected)];
  });
  t.same(waits, Array(4).fill([false, true]));
  t.ok(backoff.mayAsk('b', 100), 'others are not concerned');
  backoff.accepted('a');
  t.ok(backoff.mayAsk('a', 100));
});

t.test('it remembers a bounded number, the latest ones', async (t) => {
  const backoff = new Backoff({ minMs: 10, maxMs: 20, maxEntries: 3 });
  for (const what of ['a', 'b', 'c', 'd']) backoff.refused(what, 0);
  t.same(
    ['a', 'b', 'd'].map((what) => backoff.mayAsk(what, 5)),
    [true, false, false],
  );
  backoff.clear();
  t.ok(backoff.mayAsk('d', 5));
});
