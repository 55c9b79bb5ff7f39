import t from 'tap';
import { Network, type Port } from './network.ts';
import { Random } from './random.ts';
import { VirtualTime } from './time.ts';

t.test('events run in the order of their times, equal ones in the order of their making', async (t) => {
  const time = new VirtualTime();
  const random = new Random(Math.floor(Math.random() * 1e9));
  const ran: { atMs: number; made: number }[] = [];
  for (let made = 0; made < 500; made++) {
    const atMs = random.whole(0, 100);
    time.after(atMs, () => ran.push({ atMs: time.nowMs, made }), true);
  }
  await time.runUntil(100);
  const sorted = [...ran].sort((a, b) => a.atMs - b.atMs || a.made - b.made);
  t.same(ran, sorted);
  t.equal(ran.length, 500);
});

t.test('what an event has set off ends before the next event, and cancelled ones do not run', async (t) => {
  const time = new VirtualTime();
  const clock = time.clock(new Random(1));
  const seen: string[] = [];
  clock.after(10, async () => {
    for (let i = 0; i < 5; i++) await undefined;
    seen.push(`at ${clock.now()}`);
  });
  clock.after(11, () => seen.push('next'));
  clock.after(12, () => seen.push('cancelled'))();
  await time.runUntil(50);
  t.same(seen, ['at 10', 'next']);
  t.equal(clock.now(), 50);
});

t.test('what the caller has set off ends before the first event, wherever it calls from', async (t) => {
  const run = async () => {
    const time = new VirtualTime();
    const seen: string[] = [];
    void (async () => {
      for (let i = 0; i < 50; i++) await undefined;
      seen.push('set off');
    })();
    time.after(0, () => seen.push('event'));
    await time.runUntil(1);
    return seen;
  };
  const fromTimer = await new Promise((resolve) => setTimeout(() => resolve(run()), 1));
  t.same([await run(), fromTimer], Array(2).fill(['set off', 'event']));
});

function twoPorts() {
  const time = new VirtualTime();
  const network = new Network(time, new Random(1));
  const options = { upBytesPerSecond: 1000, downBytesPerSecond: 1000, latencyMs: 5, loss: 0 };
  return { time, network, a: network.port('a', options), b: network.port('b', options) };
}

t.test('messages take their length and the latency, one after the other', async (t) => {
  const { time, network, a, b } = twoPorts();
  const arrivals: number[] = [];
  for (let i = 0; i < 2; i++) network.send(a, b, 900, () => arrivals.push(time.nowMs));
  await time.runUntil(10_000);
  t.same(arrivals, [1010, 2010], '1000 bytes with the headers');
});

t.test('what is cut off on the way does not arrive', async (t) => {
  const cuts: ((port: Port) => void)[] = [
    (port) => {
      port.group = 1;
    },
    (port) => {
      port.on = false;
    },
  ];
  for (const cut of cuts) {
    const { time, network, a, b } = twoPorts();
    network.send(a, b, 900, () => t.fail('arrived'));
    time.after(500, () => cut(b));
    await time.runUntil(10_000);
    t.notOk(network.reaches(a, b));
  }
});
