import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Line } from './line.ts';

const never = new AbortController().signal;

t.test('whoever finds no place has the next one, in the order of their coming', async (t) => {
  const line = new Line(2, 60_000);
  const order: string[] = [];
  const enter = async (name: string) => {
    const leave = await line.enter(never);
    order.push(name);
    return leave;
  };
  const [a, b] = await Promise.all([enter('a'), enter('b')]);
  const coming = [enter('c'), enter('d'), enter('e')];
  await sleep(5);
  t.same(order, ['a', 'b']);
  a();
  const c = await coming[0]!;
  t.same(order, ['a', 'b', 'c']);
  b();
  c();
  for (const leave of await Promise.all(coming.slice(1))) leave();
  t.same(order, ['a', 'b', 'c', 'd', 'e']);
  await Promise.all([enter('f'), enter('g')]);
  t.same(order.slice(5), ['f', 'g'], 'all places were given back');
});

t.test('whoever waits for too long, or is gone, takes no place', async (t) => {
  const line = new Line(1, 20);
  const leave = await line.enter(never);
  await t.rejects(line.enter(never), { message: '1 calls are open' });
  const gone = new AbortController();
  const waiting = line.enter(gone.signal);
  gone.abort(new Error('gone'));
  await t.rejects(waiting, { message: 'gone' });
  await t.rejects(line.enter(gone.signal), { message: 'gone' });
  leave();
  (await line.enter(never))();
});
