import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { KeyedLock } from './keyed-lock.ts';

t.test('work on one key goes in order, also after a failure; other keys do not wait', async (t) => {
  const lock = new KeyedLock();
  const events: string[] = [];
  const work = (name: string, ms: number) => async () => {
    events.push(`${name} begins`);
    await sleep(ms);
    events.push(`${name} ends`);
    if (name === 'bad') throw new Error('bad');
    return name;
  };
  const results = await Promise.allSettled([
    lock.run('k', work('bad', 20)),
    lock.run('k', work('good', 5)),
    lock.run('other', work('free', 5)),
  ]);
  t.same(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
  t.same(events, ['bad begins', 'free begins', 'free ends', 'bad ends', 'good begins', 'good ends']);
});
