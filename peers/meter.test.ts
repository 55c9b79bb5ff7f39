import t from 'tap';
import { Meter } from './meter.ts';

t.test('nothing is known before the first measurement, and something modest is assumed', async (t) => {
  const meter = new Meter();
  t.equal(meter.rttMs, undefined);
  t.equal(meter.bytesPerSecond, undefined);
  t.ok(meter.expectedMs(128 * 1024) > 0);
});

t.test(
  'the rate is that of a busy spell, without the round trip before it and idle time after it',
  async (t) => {
    const meter = new Meter();
    for (let spell = 0; spell < 5; spell++) {
      const startMs = spell * 10_000;
      for (let i = 0; i <= 40; i++) meter.arrived(131_072, startMs + 300 + i * 2);
      meter.idle();
    }
    t.ok(Math.abs(meter.bytesPerSecond! / 65.5e6 - 1) < 0.02, String(meter.bytesPerSecond));
  },
);

t.test('a few single blocks say nothing about the rate', async (t) => {
  const meter = new Meter();
  for (let i = 0; i < 10; i++) {
    meter.arrived(131_072, i * 100);
    meter.idle();
  }
  t.equal(meter.bytesPerSecond, undefined);
});

t.test('with a half-life the rate rises at once, and falls only as fast as that', async (t) => {
  const meter = new Meter(5000);
  const bring = (bytes: number, fromMs: number, toMs: number) => {
    for (let ms = fromMs; ms <= toMs; ms += 10) meter.arrived(bytes, ms);
  };
  bring(100_000, 0, 1000);
  t.ok(Math.abs(meter.bytesPerSecond! / 10e6 - 1) < 0.02, String(meter.bytesPerSecond));
  bring(10_000, 1010, 6000);
  t.ok(Math.abs(meter.bytesPerSecond! / 5e6 - 1) < 0.05, String(meter.bytesPerSecond));
  bring(10_000, 6010, 60_000);
  t.ok(Math.abs(meter.bytesPerSecond! / 1e6 - 1) < 0.05, String(meter.bytesPerSecond));
  bring(100_000, 60_010, 61_000);
  t.ok(Math.abs(meter.bytesPerSecond! / 10e6 - 1) < 0.05, String(meter.bytesPerSecond));
});

t.test('a slow spell of our own making does not become the round trip that is assumed', async (t) => {
  const meter = new Meter();
  meter.roundTrip(2);
  for (let i = 0; i < 5; i++) meter.roundTrip(80);
  t.ok(meter.rttMs! > 40);
  t.ok(meter.assumedRttMs < 4);
  for (let i = 0; i < 50; i++) meter.roundTrip(80);
  t.equal(meter.assumedRttMs, 80);
});
