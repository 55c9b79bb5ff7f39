import t from 'tap';
import { wallClockMs } from './libc.ts';

t.test('the clock is the wall clock, with a fraction of each millisecond', async (t) => {
  let fractions = 0;
  for (let i = 0; i < 1000; i++) {
    const [before, now, after] = [Date.now(), wallClockMs(), Date.now()];
    if (!(before <= now && now < after + 1)) t.fail(`${now} is not between ${before} and ${after}`);
    if (now !== Math.floor(now)) fractions++;
  }
  t.ok(fractions > 900, `${fractions} times of 1000 have a fraction`);
});
