import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createGate } from './gate.ts';

t.test('exclusive work waits for shared work, and later shared work waits for it', async (t) => {
  const gate = createGate();
  const events: string[] = [];
  const step = (name: string, ms: number) => async () => {
    events.push(`${name} starts`);
    await sleep(ms);
    events.push(`${name} ends`);
  };
  await Promise.all([
    gate.shared(step('a', 20)),
    gate.shared(step('b', 10)),
    gate.exclusive(step('X', 5)),
    gate.shared(step('c', 1)),
  ]);
  t.same(events, ['a starts', 'b starts', 'b ends', 'a ends', 'X starts', 'X ends', 'c starts', 'c ends']);
});

t.test('failed work lets the next one in', async (t) => {
  const gate = createGate();
  await t.rejects(gate.exclusive(() => Promise.reject(new Error('no'))));
  await t.rejects(gate.shared(() => Promise.reject(new Error('no'))));
  t.equal(await gate.exclusive(async () => 1), 1);
  t.equal(await gate.shared(async () => 2), 2);
});
