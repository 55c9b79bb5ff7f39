import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { PAGE_BYTES } from '../blocks/types.ts';
import type { Dump } from './dump-memory.ts';
import type { Handed } from './lazy-socket.ts';
import { Pager } from './pager.ts';
import { RestoredTwin } from './restored.twin.ts';

const PAGES = 400;
/** Each page of the dump begins with its number, from here on: none is zeros. */
const FIRST = 1000;

/** `PAGES` at this address; reads wait for `gate`, which may say no. */
class DumpTwin implements Dump {
  readonly at: number;
  readonly reads: { page: number; pages: number }[] = [];
  gate: (page: number, pages: number) => Promise<void> | undefined = async () => {};

  constructor(at: number) {
    this.at = at;
  }

  lazyRanges() {
    return [{ start: this.at, end: this.at + PAGES * PAGE_BYTES, dumped: this.at }];
  }

  async read(address: number, into: Buffer) {
    const [page, pages] = [(address - this.at) / PAGE_BYTES, into.length / PAGE_BYTES];
    this.reads.push({ page, pages });
    await this.gate(page, pages);
    into.fill(7);
    for (let i = 0; i < pages; i++) into.writeUInt32LE(FIRST + page + i, i * PAGE_BYTES);
  }

  async close() {}
}

async function restored(t: Test) {
  const process = new RestoredTwin();
  const at = process.map(PAGES);
  const dump = new DumpTwin(at);
  const held: (readonly number[])[] = [];
  const pager = new Pager(
    async () => dump,
    (uffds) => held.push(uffds),
  );
  const finished = Promise.withResolvers<void>();
  async function* handed(): AsyncGenerator<Handed> {
    yield { pid: 1, uffd: process.uffd };
    await finished.promise;
    yield 'finished';
  }
  const served = pager.serve(handed());
  served.catch(() => {});
  t.teardown(() => pager.close());
  return {
    process,
    dump,
    pager,
    served,
    held,
    finish: finished.resolve,
    page: (n: number) => at + n * PAGE_BYTES,
  };
}

t.test('who touches a page gets what the dump has, before and after the restore has finished', async (t) => {
  const { process, dump, finish, held, served, page, pager } = await restored(t);
  t.equal(await process.touch(page(5)), FIRST + 5);
  t.same(held, []);
  finish();
  await served;
  t.same(held, [[process.uffd]]);
  for (let i = 0; i < PAGES; i++)
    if ((await process.touch(page(i))) !== FIRST + i) t.fail(`page ${i} has other bytes`);
  t.ok(dump.reads.every(({ pages }) => pages <= 256));
  t.match(pager.faults[0], { pid: 1, address: page(5) });
});

t.test('memory that the dump does not have is zeros, also when all else has come', async (t) => {
  const { process, served, finish } = await restored(t);
  const fresh = process.map(3);
  t.equal(await process.touch(fresh + PAGE_BYTES), 0);
  finish();
  await served;
  t.equal(await process.touch(fresh), 0);
});

t.test('who waits for a page does not wait for others, nor for the rest', async (t) => {
  const { process, dump, finish, page } = await restored(t);
  const far = Promise.withResolvers<void>();
  dump.gate = async (n, pages) => {
    if (pages > 1) await new Promise(() => {});
    if (n === 7) await far.promise;
  };
  finish();
  const waiting = process.touch(page(7));
  for (const n of [8, 300, 9]) t.equal(await process.touch(page(n)), FIRST + n);
  far.resolve();
  t.equal(await waiting, FIRST + 7);
});

t.test('several who wait for one page: it is read once', async (t) => {
  const { process, dump, page } = await restored(t);
  dump.gate = () => sleep(50);
  t.same(await Promise.all([process.touch(page(3)), process.touch(page(3))]), [FIRST + 3, FIRST + 3]);
  t.equal(dump.reads.filter(({ page, pages }) => page <= 3 && page + pages > 3).length, 1);
});

t.test('time in which somebody waits for a page is no time in which the program ran', async (t) => {
  const { process, dump, pager, finish, page } = await restored(t);
  dump.gate = async (_, pages) => {
    if (pages > 1) await new Promise(() => {});
    await sleep(300);
  };
  t.equal(pager.ranMs, 0);
  finish();
  await pager.held;
  await Promise.all([process.touch(page(7)), process.touch(page(8))]);
  t.ok(pager.ranMs < 250, `${pager.ranMs} ms`);
  const before = pager.ranMs;
  await sleep(50);
  t.ok(pager.ranMs > before + 40);
});

t.test('what lies around a page comes right behind it, then the rest', async (t) => {
  const { process, dump, finish, served, page } = await restored(t);
  // The sixth page of sixteen that lie together.
  const n = [...Array(16).keys()].map((i) => 200 + i).find((i) => (page(i) / PAGE_BYTES) % 16 === 5)!;
  await process.touch(page(n));
  await until(() => dump.reads.length === 3);
  const around = dump.reads.map(({ page, pages }) => [page, page + pages] as const);
  t.same(around, [
    [n, n + 1],
    [n - 5, n],
    [n + 1, n + 11],
  ]);
  finish();
  await served;
  t.equal(dump.reads[3]?.page, n + 11);
  t.ok(dump.reads.some((read) => read.page === 0));
});

t.test('memory that was moved is served where it is now', async (t) => {
  const { process, dump, finish, served, page } = await restored(t);
  const target = process.map(20, { isLazy: false });
  await process.move(page(100), target, 20);
  t.equal(await process.touch(target + 3 * PAGE_BYTES), FIRST + 103);
  dump.gate = () => sleep(5);
  finish();
  await served;
  t.equal(await process.touch(target + 19 * PAGE_BYTES), FIRST + 119);
  t.equal(await process.touch(page(120)), FIRST + 120);
});

t.test('memory that is moved while it is on the way gets there', async (t) => {
  const { process, dump, finish, served, page } = await restored(t);
  const goOn = await onTheWay(dump, finish);
  const target = process.map(1, { isLazy: false });
  await process.move(page(2), target, 1);
  goOn();
  await served;
  t.equal(await process.touch(target), FIRST + 2);
  t.equal(await process.touch(page(3)), FIRST + 3);
});

t.test('memory that was emptied stays so, whatever is on the way', async (t) => {
  const { process, dump, finish, served, page } = await restored(t);
  const goOn = await onTheWay(dump, finish);
  await process.empty(page(0), 10);
  goOn();
  await served;
  t.equal(await process.touch(page(3)), 0);
  t.equal(await process.touch(page(10)), FIRST + 10);
});

t.test('memory that was unmapped is no longer brought', async (t) => {
  const { process, dump, finish, served, page } = await restored(t);
  await process.touch(page(0));
  await process.unmap(page(50), 350);
  finish();
  await served;
  t.ok(dump.reads.every((read) => read.page + read.pages <= 50));
  t.equal(await process.touch(page(49)), FIRST + 49);
});

t.test('a page that cannot be read ends it, and who waits for it gets no zeros', async (t) => {
  const { process, dump, served, pager, page } = await restored(t);
  dump.gate = () => Promise.reject(new Error('EIO: i/o error, read'));
  let got: number | undefined;
  void process.touch(page(3)).then((word) => {
    got = word;
  });
  await t.rejects(served, { message: 'EIO: i/o error, read' });
  await sleep(50);
  t.equal(got, undefined);
  await pager.close();
  await until(() => got !== undefined);
});

t.test('a restore that ends early is an error; one that leaves nothing is whole at once', async (t) => {
  const none = new Pager(
    () => Promise.reject(new Error('not asked for')),
    () => {},
  );
  t.teardown(() => none.close());
  await none.serve((async function* (): AsyncGenerator<Handed> {})());
  const process = new RestoredTwin();
  const pager = new Pager(
    async () => new DumpTwin(process.map(PAGES)),
    () => {},
  );
  t.teardown(() => pager.close());
  async function* early(): AsyncGenerator<Handed> {
    yield { pid: 1, uffd: process.uffd };
  }
  await t.rejects(pager.serve(early()), { message: /ended early/ });
});

/** Memory behind the faults is being read, and comes when the answer is called. */
async function onTheWay(dump: DumpTwin, finish: () => void): Promise<() => void> {
  const far = Promise.withResolvers<void>();
  dump.gate = async (_, pages) => {
    if (pages > 1) await far.promise;
  };
  finish();
  await until(() => dump.reads.length === 1);
  return far.resolve;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(2);
}
