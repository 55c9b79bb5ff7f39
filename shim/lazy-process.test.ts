import t from 'tap';
import { PAGE_BYTES } from '../blocks/types.ts';
import type { Dump } from './dump-memory.ts';
import { LazyProcess } from './lazy-process.ts';
import { Missing } from './missing.ts';
import type { Given, UffdEvent } from './uffd.ts';

const AT = 0x10000;
const dump: Dump = { lazyRanges: () => [], read: async () => {}, close: async () => {} };
const whole = (bytes: number): Given => ({ how: 'given', bytes });

/** A kernel that says what the test wants, and writes down what it was given. */
function process(pages: number, say: (address: number, bytes: number) => Given = (_, bytes) => whole(bytes)) {
  const given: string[] = [];
  const pending: UffdEvent[] = [];
  const uffd = {
    fd: 7,
    events: () => pending.splice(0),
    give(address: number, bytes: Buffer) {
      const answer = say(address, bytes.length);
      given.push(`${answer.how} ${(address - AT) / PAGE_BYTES}+${bytes.length / PAGE_BYTES} ${bytes[0]}`);
      return answer;
    },
    giveZeros: (address: number) => say(address, PAGE_BYTES),
    isGone: () => false,
    close: () => {},
  };
  const missing = new Missing([{ start: AT, end: AT + pages * PAGE_BYTES, dumped: AT }]);
  return { process: new LazyProcess(1, uffd, dump, missing), given, pending };
}

/** Each page is filled with its number. */
const pages = (from: number, count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(PAGE_BYTES, from + i)));
const address = (page: number) => AT + page * PAGE_BYTES;

t.test('pages are given once, and no others than those that are missing', (t) => {
  const { process: one, given } = process(4);
  t.ok(one.give(address(1), pages(1, 2)));
  t.ok(one.give(address(0), pages(0, 4)));
  t.same(given, ['given 1+2 1', 'given 0+1 0', 'given 3+1 3']);
  t.ok(one.isWhole);
  t.end();
});

t.test('what the kernel takes later is given again, from where it has stopped', (t) => {
  let busy = true;
  const { process: one, given } = process(4, (_, bytes) =>
    busy ? { how: 'again', bytes: bytes === 4 * PAGE_BYTES ? PAGE_BYTES : 0 } : whole(bytes),
  );
  t.notOk(one.give(address(0), pages(0, 4)));
  t.equal(one.dumpedAt(address(0)), undefined);
  t.equal(one.dumpedAt(address(1)), address(1));
  busy = false;
  t.ok(one.give(address(0), pages(0, 4)));
  t.same(given, ['again 0+4 0', 'again 1+3 1', 'given 1+3 1']);
  t.end();
});

t.test('a run over several areas is given page by page', (t) => {
  const { process: one, given } = process(3, (_, bytes) =>
    bytes > PAGE_BYTES ? { how: 'absent', bytes: 0 } : whole(bytes),
  );
  t.ok(one.give(address(0), pages(0, 3)));
  t.ok(one.isWhole);
  t.same(
    given.filter((line) => line.startsWith('given')),
    ['given 0+1 0', 'given 1+1 1', 'given 2+1 2'],
  );
  t.end();
});

t.test('a page is forgotten only when it is absent though nothing moves', (t) => {
  let moving = true;
  let asked = 0;
  const { process: one } = process(1, () => ({ how: moving && ++asked > 2 ? 'again' : 'absent', bytes: 0 }));
  t.notOk(one.give(address(0), pages(0, 1)));
  t.equal(one.dumpedAt(address(0)), address(0), 'its move is about to be told');
  moving = false;
  t.ok(one.give(address(0), pages(0, 1)));
  t.ok(one.isWhole);
  t.end();
});

t.test('a process that has ended is missing nothing', (t) => {
  const { process: one } = process(3, () => ({ how: 'gone', bytes: 0 }));
  t.ok(one.give(address(0), pages(0, 1)));
  t.ok(one.isWhole);
  t.end();
});

t.test('faults are told after the changes that came with them', (t) => {
  const { process: one, pending } = process(4);
  pending.push(
    { event: 'fault', address: address(9) },
    { event: 'remap', from: address(0), to: address(9), bytes: PAGE_BYTES },
    { event: 'remove', start: address(2), end: address(3) },
    { event: 'fork', fd: 8 },
  );
  const { faults, children } = one.look();
  t.same(faults, [address(9)]);
  for (const either of [one, ...children]) {
    t.equal(either.dumpedAt(address(9)), address(0));
    t.equal(either.dumpedAt(address(2)), undefined);
    t.equal(either.dumpedAt(address(3)), address(3));
  }
  t.same(
    children.map(({ pid, uffd }) => [pid, uffd.fd]),
    [[1, 8]],
  );
  t.end();
});

t.test('what is under way for a closed one comes to nothing', (t) => {
  const { process: one, given } = process(2);
  one.close();
  t.ok(one.give(address(0), pages(0, 2)));
  t.ok(one.giveZeros(address(0)));
  t.same(given, []);
  t.end();
});
