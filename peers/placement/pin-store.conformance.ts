/** What every `PinStore` does: run on the memory twin, on the simulator's and on LMDB. */
import { randomBytes } from 'node:crypto';
import type { Test } from 'tap';
import type { PinStore } from './pin-store.ts';

/** A store, and what is found when it is opened again as after a loss of power. */
export interface PinSubject {
  store: PinStore;
  reopen(): Promise<PinStore>;
}

const ids = (count: number) => Array.from({ length: count }, () => randomBytes(32).toString('hex'));

export function pinStoreConformance(t: Test, make: (t: Test) => Promise<PinSubject>): void {
  t.test('a pin that was added is there, also after a loss of power', async (t) => {
    const { store, reopen } = await make(t);
    const [a, b, other] = ids(3) as [string, string, string];
    t.equal(store.has(a), false);
    await store.add([a, b]);
    t.same([a, b, other].map(store.has), [true, true, false]);
    t.same([...store.all()].sort(), [a, b].sort());
    const later = await reopen();
    t.same([a, b, other].map(later.has), [true, true, false]);
    t.equal(later.count(), 2);
  });

  t.test('a pin that was removed is gone, also after a loss of power', async (t) => {
    const { store, reopen } = await make(t);
    const [a, b] = ids(2) as [string, string];
    await store.add([a, b]);
    await store.remove([a]);
    t.same([a, b].map(store.has), [false, true]);
    const later = await reopen();
    t.same([...later.all()], [b]);
  });

  t.test('adding and removing again change nothing, and the count follows', async (t) => {
    const { store } = await make(t);
    const many = ids(1000);
    await Promise.all([store.add(many), store.add(many.slice(0, 10)), store.add([])]);
    t.equal(store.count(), 1000);
    await Promise.all([store.remove(many.slice(0, 10)), store.remove(many.slice(5, 20)), store.remove([])]);
    t.equal(store.count(), 980);
    t.equal([...store.all()].length, 980);
    t.notOk(store.has(many[19]!));
    t.ok(store.has(many[20]!));
  });
}
