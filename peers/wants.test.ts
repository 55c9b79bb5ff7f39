import t from 'tap';
import { PRIORITIES } from './scheduler.ts';
import type { Priority } from './types.ts';
import { type Waiter, Wants } from './wants.ts';

type Book = Wants<string, string>;

function waiter(priority: Priority): Waiter {
  return { priority, resolve() {}, reject() {} };
}

function queued(book: Book): Record<Priority, string[]> {
  const ids = (priority: Priority) => [...book.ready[priority]].map(({ id }) => id);
  return {
    demand: ids('demand'),
    prefetch: ids('prefetch'),
    completion: ids('completion'),
    repair: ids('repair'),
  };
}

t.test('two waiters for one block share one want, at the better priority', async (t) => {
  const book: Book = new Wants();
  const [slow, fast] = [waiter('completion'), waiter('demand')];
  const want = book.join('a', slow, 1);
  t.strictSame(queued(book), { demand: [], prefetch: [], completion: ['a'], repair: [] });
  t.equal(book.join('a', fast, 2), want);
  t.strictSame(queued(book), { demand: ['a'], prefetch: [], completion: [], repair: [] });
  t.equal(want.demandSinceMs, 2);
  t.equal(book.leave(want, fast, 3), false);
  t.strictSame(queued(book), { demand: [], prefetch: [], completion: ['a'], repair: [] }, 'lowered again');
  t.equal(book.leave(want, slow, 4), true);
  t.equal(book.size, 0);
});

t.test('a want on the way is lifted without being queued', async (t) => {
  const book: Book = new Wants();
  const want = book.join('a', waiter('completion'), 1);
  book.move(want, { kind: 'asked' });
  book.join('a', waiter('demand'), 2);
  t.equal(want.priority, 'demand');
  t.strictSame(queued(book), { demand: [], prefetch: [], completion: [], repair: [] });
  book.move(want, { kind: 'ready' });
  t.strictSame(queued(book).demand, ['a']);
});

t.test('a block that is being stored stays in the book though nobody waits', async (t) => {
  const book: Book = new Wants();
  const only = waiter('demand');
  const want = book.join('a', only, 1);
  book.move(want, { kind: 'storing' });
  t.equal(book.leave(want, only, 2), true);
  t.equal(book.join('a', waiter('prefetch'), 3), want);
});

t.test('whatever happens in whatever order, the invariants hold', async (t) => {
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  t.comment(`SEED=${seed}`);
  let state = seed;
  const random = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const book: Book = new Wants();
  const kinds = [
    { kind: 'ready' },
    { kind: 'asked' },
    { kind: 'storing' },
    { kind: 'parked', untilMs: 9 },
  ] as const;
  for (let step = 0; step < 3000; step++) {
    const wants = [...book.all()];
    const want = wants[random(wants.length)];
    const action = random(4);
    if (action <= 1 || !want)
      book.join(`b${random(20)}`, waiter(PRIORITIES[random(PRIORITIES.length)]!), step);
    else if (action === 2 && want.waiters.size > 0) book.move(want, kinds[random(kinds.length)]!);
    else if (want.waiters.size > 0) book.leave(want, [...want.waiters][random(want.waiters.size)]!, step);
    else book.remove(want);
    book.checkInvariants();
  }
});
