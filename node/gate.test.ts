import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { createGate } from './gate.ts';

function recorder() {
  const events: string[] = [];
  const step = (name: string, ms: number) => async () => {
    events.push(`${name} starts`);
    await sleep(ms);
    events.push(`${name} ends`);
  };
  return { events, step };
}

t.test('exclusive work waits for shared work, and runs alone', async (t) => {
  const gate = createGate();
  const { events, step } = recorder();
  const before = [gate.shared(step('a', 30)), gate.shared(step('b', 10)), gate.exclusive(step('X', 20))];
  await Promise.all([before[0], before[1]]);
  await sleep(5);
  await Promise.all([...before, gate.shared(step('c', 1)), gate.exclusive(step('Y', 1))]);
  const at = (name: string) => events.indexOf(name);
  t.ok(at('X starts') > at('a ends') && at('X starts') > at('b ends'));
  t.equal(at('X ends'), at('X starts') + 1, 'nothing happens beside X');
  t.equal(at('Y ends'), at('Y starts') + 1, 'nothing happens beside Y');
});

t.test('shared work goes ahead of exclusive work that still waits', async (t) => {
  const gate = createGate();
  const { events, step } = recorder();
  await Promise.all([gate.shared(step('a', 20)), gate.exclusive(step('X', 1)), gate.shared(step('b', 1))]);
  t.same(events, ['a starts', 'b starts', 'b ends', 'a ends', 'X starts', 'X ends']);
});

t.test('failed work lets the next one in', async (t) => {
  const gate = createGate();
  await t.rejects(gate.exclusive(() => Promise.reject(new Error('no'))));
  await t.rejects(gate.shared(() => Promise.reject(new Error('no'))));
  t.equal(await gate.exclusive(async () => 1), 1);
  t.equal(await gate.shared(async () => 2), 2);
});
