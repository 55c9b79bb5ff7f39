import t from 'tap';
import { formatRate, parseMs, parseRate, shapeOf } from './units.ts';

t.test('rates are read as tc writes them', async (t) => {
  t.equal(parseRate('100mbit'), 100_000_000);
  t.equal(parseRate('2.5gbit'), 2_500_000_000);
  for (const wrong of ['', '100', '100mb', '-1mbit', '1kbit', '200gbit', '1e3mbit']) {
    t.throws(() => parseRate(wrong), /is no rate/, wrong);
  }
});

t.test('a rate is shown as it was written', async (t) => {
  for (const text of ['1gbit', '100mbit', '2500mbit', '64kbit']) t.equal(formatRate(parseRate(text)), text);
});

t.test('round-trip times are milliseconds up to two seconds', async (t) => {
  t.equal(parseMs('20'), 20);
  t.equal(parseMs('0.5'), 0.5);
  for (const wrong of ['', '20ms', '-1', '2001'])
    t.throws(() => parseMs(wrong), /is no round-trip time/, wrong);
});

t.test('whatever the rate, a whole segmentation-offload packet may leave at once', async (t) => {
  for (const rate of [8000, 1e6, 1e9]) t.ok(shapeOf(rate).burstBytes > 66 * 1024);
});
