import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { field, MAGIC, numbersOf, records } from './criu-image.ts';
import { rearmTimers } from './expired-timers.ts';
import { image, message, scratch } from './testing.ts';

const REGULAR = 1;
const TIMER = 17;
/** Seconds and nanoseconds until it is due, and those between. */
const timer = (id: number, [seconds, nanoseconds]: number[], [every, everyNano]: number[]) =>
  message(
    [1, TIMER],
    [2, id],
    [12, message([1, id], [5, 3], [7, seconds!], [8, nanoseconds!], [9, every!], [10, everyNano!])],
  );

t.test('timers that repeat and were due are due again at once; all other files stay', (t) => {
  const directory = scratch(t);
  const path = join(directory, 'files.img');
  const others = [
    message([1, REGULAR], [2, 1], [3, message([1, 1], [6, Buffer.from('etc/passwd')])]),
    timer(2, [0, 7], [0, 50]),
    timer(3, [5, 0], [0, 0]),
    timer(4, [0, 0], [0, 0]),
  ];
  writeFileSync(path, image(MAGIC.files, timer(9, [0, 0], [0, 50]), ...others, timer(10, [0, 0], [1, 0])));
  rearmTimers(directory);
  const [first, ...rest] = records(path, MAGIC.files);
  const last = rest.pop();
  t.same(
    rest.map((file) => Buffer.from(file)),
    others.map((file) => Buffer.from(file)),
  );
  for (const [file, id, every] of [
    [first, 9, [0, 50]],
    [last, 10, [1, 0]],
  ] as const) {
    t.match(numbersOf(path, file!), { 1: TIMER, 2: id });
    t.match(numbersOf(path, field(path, file!, [12])!), {
      1: id,
      5: 3,
      7: 0,
      8: 1,
      9: every[0],
      10: every[1],
    });
  }
  const once = readFileSync(path);
  rearmTimers(directory);
  t.same(readFileSync(path), once);
  t.end();
});

t.test('images of a kind that is not known stay as they are', (t) => {
  const directory = scratch(t);
  rearmTimers(directory);
  writeFileSync(join(directory, 'files.img'), 'something else');
  rearmTimers(directory);
  t.equal(readFileSync(join(directory, 'files.img'), 'utf8'), 'something else');
  t.end();
});
