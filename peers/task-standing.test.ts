import t from 'tap';
import { Standing } from './task-standing.ts';

t.test(
  'a neighbour that was beaten is held to be slower, more so each time, and is tried again later',
  async (t) => {
    const standing = new Standing();
    t.equal(standing.demandMs(0), undefined);
    standing.demanded(20, 0);
    t.equal(standing.demandMs(0), 20);
    standing.beaten(30, 0);
    t.equal(standing.demandMs(0), 60);
    standing.beaten(30, 0);
    t.equal(standing.demandMs(0), 120);
    t.equal(standing.demandMs(5000), 60, 'half after a while');
  },
);

t.test('who stands still is left alone for a while, longer each time, until it has delivered', async (t) => {
  const standing = new Standing();
  const restMs = (fromMs: number) => {
    standing.slackened(fromMs);
    let ms = 0;
    while (standing.isSlack(fromMs + ms)) ms += 10;
    return ms;
  };
  t.strictSame([restMs(0), restMs(10_000), restMs(20_000)], [500, 1000, 2000]);
  for (let i = 3; i < 10; i++) t.ok(restMs(i * 10_000) <= 8000);
  standing.delivered(200_000);
  t.equal(restMs(200_001), 500);
});

t.test('a silent neighbour is looked at, but not all the time', async (t) => {
  const standing = new Standing();
  t.strictSame(
    [0, 50, 499, 500, 600, 1001].map((ms) => standing.suspect(ms)),
    [true, false, false, true, false, true],
  );
});
