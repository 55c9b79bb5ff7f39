import t from 'tap';
import { createReadahead } from './readahead.ts';

const ROOT = 'a'.repeat(64);

t.test('a first or a far read fetches nothing ahead', (t) => {
  const readahead = createReadahead();
  t.same(readahead.demanded(ROOT, 10, 100), { from: 11, to: 11 });
  t.same(readahead.demanded(ROOT, 50, 100), { from: 51, to: 51 });
  t.same(readahead.demanded(ROOT, 20, 100), { from: 21, to: 21 });
  t.end();
});

t.test('a sequential reader gets a window that doubles up to its bound', (t) => {
  const readahead = createReadahead();
  readahead.demanded(ROOT, 0, 1000);
  const widths = [];
  let i = 1;
  for (let step = 0; step < 8; step++) {
    const { from, to } = readahead.demanded(ROOT, i, 1000);
    widths.push(to - from);
    i = to;
  }
  t.same(widths, [2, 4, 8, 16, 16, 16, 16, 16]);
  t.end();
});

t.test('no block is named twice to one sequential reader', (t) => {
  const readahead = createReadahead();
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const { from, to } = readahead.demanded(ROOT, i, 200);
    for (let b = from; b < to; b++) {
      t.notOk(seen.has(b), `block ${b} once`);
      seen.add(b);
    }
    t.ok(to <= 200);
  }
  t.end();
});
