import t from 'tap';
import { generator, seededPick } from '../blocks/testing.ts';
import { Missing, type Range } from './missing.ts';

const PAGE = 4096;
const range = (start: number, pages: number, dumped = start): Range => ({
  start,
  end: start + pages * PAGE,
  dumped,
});

t.test('an address is missing until it has come', (t) => {
  const missing = new Missing([range(0x10000, 4), range(0x90000, 1)]);
  t.same(
    [0xffff, 0x10000, 0x13fff, 0x14000, 0x90000].map((at) => missing.dumpedAt(at)),
    [undefined, 0x10000, 0x13fff, undefined, 0x90000],
  );
  missing.drop(0x11000, 0x13000);
  t.same(
    [0x10000, 0x11000, 0x12fff, 0x13000].map((at) => missing.dumpedAt(at)),
    [0x10000, undefined, undefined, 0x13000],
  );
  t.notOk(missing.isEmpty);
  missing.drop(0, 0x100000);
  t.ok(missing.isEmpty);
  t.end();
});

t.test('what is next: at an address or above it, else from the beginning, no more than wanted', (t) => {
  const missing = new Missing([range(0x10000, 4), range(0x90000, 2)]);
  t.same(missing.next(0x11000, 2 * PAGE), range(0x11000, 2));
  t.same(missing.next(0x13000, 2 * PAGE), range(0x13000, 1));
  t.same(missing.next(0x14000, 1 << 20), range(0x90000, 2));
  t.same(missing.next(0xa0000, 1 << 20), range(0x10000, 4));
  t.equal(new Missing([]).next(0, PAGE), undefined);
  t.end();
});

t.test('memory that was moved is missing where it is now, and the dump still knows it', (t) => {
  const missing = new Missing([range(0x10000, 4), range(0x40000, 2)]);
  missing.move(0x11000, 0x40000, 2 * PAGE);
  t.equal(missing.dumpedAt(0x11000), undefined);
  t.equal(missing.dumpedAt(0x41000), 0x12000);
  t.same(missing.of(0x10000, 4 * PAGE), [range(0x10000, 1), range(0x13000, 1), range(0x40000, 2, 0x11000)]);
  t.end();
});

t.test('a forked process has what its parent had at that moment', (t) => {
  const parent = new Missing([range(0x10000, 4)]);
  const child = parent.clone();
  parent.drop(0x10000, 0x12000);
  child.move(0x10000, 0x80000, PAGE);
  t.equal(child.dumpedAt(0x80000), 0x10000);
  t.equal(child.dumpedAt(0x11000), 0x11000);
  t.equal(parent.dumpedAt(0x80000), undefined);
  t.end();
});

t.test('whatever happens, in whatever order: the same as page by page', (t) => {
  const below = seededPick(t);
  const { below: size } = generator(below(2 ** 30));
  const PAGES = 64;
  const missing = new Missing([range(0, 20), range(30 * PAGE, 10), range(41 * PAGE, 9, 200 * PAGE)]);
  const model = new Map<number, number>();
  const page = (at: number) => missing.dumpedAt(at * PAGE);
  for (let at = 0; at < PAGES; at++) if (page(at) !== undefined) model.set(at, page(at)!);
  t.equal(model.size, 39);
  for (let round = 0; round < 3000 && model.size > 0; round++) {
    const [from, to, pages] = [below(PAGES), below(PAGES), 1 + size(5)];
    if (round % 3 === 0) {
      missing.drop(from * PAGE, (from + 1) * PAGE);
      model.delete(from);
    } else if (from + pages <= to || to + pages <= from) {
      missing.move(from * PAGE, to * PAGE, pages * PAGE);
      const moved = Array.from({ length: pages }, (_, i) => model.get(from + i));
      for (let i = 0; i < pages; i++) model.delete(from + i);
      for (const [i, dumped] of moved.entries()) {
        if (dumped === undefined) model.delete(to + i);
        else model.set(to + i, dumped);
      }
    }
    for (let at = 0; at < PAGES + 8; at++)
      if (page(at) !== model.get(at)) return t.fail(`round ${round}: page ${at} is ${page(at)}`);
    for (const [at, dumped] of model)
      if (!missing.of(dumped, PAGE).some(({ start }) => start === at * PAGE))
        return t.fail(`round ${round}: ${dumped} is not found`);
  }
  t.equal(missing.isEmpty, model.size === 0);
  t.end();
});
