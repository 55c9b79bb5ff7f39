import t from 'tap';
import { HedgeBudget, Hedging, RecentTimes } from './task-hedge.ts';

t.test('the tail of recent times is unknown at first, then what nearly all stay below', async (t) => {
  const times = new RecentTimes();
  for (let i = 0; i < 7; i++) times.add(10);
  t.equal(times.tailMs, undefined);
  for (let i = 0; i < 100; i++) times.add(10);
  times.add(5000);
  t.equal(times.tailMs, 10, 'one slow answer is not the tail');
  for (let i = 0; i < 64; i++) times.add(80);
  t.equal(times.tailMs, 80, 'what is old is forgotten');
});

t.test('however much is late, hedges stay within their share of the demanded blocks', async (t) => {
  const budget = new HedgeBudget();
  let hedges = 0;
  for (let demanded = 0; demanded < 1000; demanded++) {
    budget.earn();
    while (budget.allowed > 0) {
      budget.spend();
      hedges++;
    }
  }
  t.ok(hedges >= 100 && hedges <= 110, `${hedges} hedges`);
});

t.test('a long calm saves up a bounded number of hedges', async (t) => {
  const budget = new HedgeBudget();
  for (let i = 0; i < 10_000; i++) budget.earn();
  t.equal(budget.allowed, 10);
});

t.test(
  'where everything is slow nothing is late sooner, and nothing is late within a few milliseconds',
  async (t) => {
    const hedging = new Hedging();
    t.ok(hedging.bounds.silentMs >= 50, 'nothing is known');
    for (let i = 0; i < 64; i++) {
      hedging.firstByte(1);
      hedging.block(2);
    }
    t.strictSame(hedging.bounds, { silentMs: 15, blockMs: 15 });
    for (let i = 0; i < 64; i++) {
      hedging.firstByte(300);
      hedging.block(400);
    }
    t.strictSame(hedging.bounds, { silentMs: 300, blockMs: 500 });
  },
);
