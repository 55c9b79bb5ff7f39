import { PassThrough } from 'node:stream';
import t from 'tap';
import type { Progress } from '../node/control.ts';
import { VirtualClock } from '../peers/membership/clock.twin.ts';
import { admin } from '../proto/admin.ts';
import { barMeter, follow, lineMeter, type Screen } from './progress.ts';

/** Keeps what is written to it. */
function screen(isTTY: boolean): { stream: Screen; text(): string } {
  const stream: PassThrough & Screen = Object.assign(new PassThrough(), { isTTY, columns: 100 });
  return { stream, text: () => String(stream.read() ?? '') };
}

function step(done: number, total: number): Progress {
  return { doneBlocks: done, totalBlocks: total, doneBytes: done * 1000, totalBytes: total * 1000 };
}

t.test(
  'elsewhere than on a terminal: the first and the last, and a line every few seconds between',
  async (t) => {
    const clock = new VirtualClock(t);
    const { stream, text } = screen(false);
    const meter = lineMeter('drain', stream, clock);
    for (let done = 0; done <= 11; done++) {
      meter.show(step(done, 11));
      if (done < 11) clock.advance(1000);
    }
    meter.stop();
    t.same(text().trimEnd().split('\n'), [
      'drain: 0 %, 0 B of 11.0 kB, 0 of 11 blocks',
      'drain: 45 %, 5.0 kB of 11.0 kB, 5 of 11 blocks',
      'drain: 91 %, 10.0 kB of 11.0 kB, 10 of 11 blocks',
      'drain: 100 %, 11.0 kB of 11.0 kB, 11 of 11 blocks',
    ]);
  },
);

t.test('the last is not told twice, and nothing of work that told nothing', async (t) => {
  const { stream, text } = screen(false);
  const meter = lineMeter('drain', stream, new VirtualClock(t));
  meter.show(step(1, 1));
  meter.stop();
  lineMeter('drain', stream).stop();
  t.equal(text(), 'drain: 100 %, 1.0 kB of 1.0 kB, 1 of 1 block\n');
});

t.test(
  'on a terminal: a bar that ends full, whose end may move, and which changes no mode of the terminal',
  async (t) => {
    const { stream, text } = screen(true);
    const meter = barMeter('prefetch', stream);
    for (const progress of [step(0, 2), step(1, 4), step(4, 4)]) meter.show(progress);
    meter.stop();
    const shown = text();
    t.match(shown, /prefetch \[-{30}\] {3}0 % {2}0 B of 2\.0 kB/);
    t.match(shown, /prefetch \[={30}\] 100 % {2}4\.0 kB of 4\.0 kB/);
    t.ok(shown.endsWith('\n'));
    t.notOk(
      shown.includes('\x1b[?'),
      'neither cursor nor wrapping: an interrupted command leaves the terminal well',
    );
  },
);

t.test('a bar that was never begun can be ended', async (t) => {
  const { stream, text } = screen(true);
  barMeter('prefetch', stream).stop();
  t.equal(text(), '');
});

t.test('the bar ends before an error of the work is told', async (t) => {
  const events: string[] = [];
  const meter = {
    show: ({ doneBlocks }: Progress) => events.push(`show ${doneBlocks}`),
    stop: () => events.push('stop'),
  };
  async function* failing() {
    yield new admin.Progress().setDoneBlocks('3');
    throw new Error('away');
  }
  await t.rejects(follow(failing(), meter), /away/);
  t.same(events, ['show 3', 'stop']);
});

t.test('numbers beyond what a number can hold are refused', async (t) => {
  async function* huge() {
    yield new admin.Progress().setDoneBytes('9007199254740993');
  }
  await t.rejects(follow(huge(), { show() {}, stop() {} }), /bytes done is out of range/);
});
