import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { eagerPages, markLazyPages } from './lazy-marks.ts';
import { type Field, image, message, scratch } from './testing.ts';
import { PAGE_BYTES } from './types.ts';

const PAGEMAP = 0x56084025;
const MM = 0x57492820;
const CORE = 0x55053847;
const [LAZY, PRESENT] = [2, 4];
const [ANONYMOUS, FILE, LOCKED] = [0x22, 0x02, 0x2022];

const entry = (page: number, pages: number, flags: number) =>
  message([1, page * PAGE_BYTES], [2, pages], [4, flags], [5, pages]);
const area = (page: number, pages: number, flags: number, status = 1) =>
  message([1, page * PAGE_BYTES], [2, (page + pages) * PAGE_BYTES], [6, flags], [7, status]);
const core = (pointer: number) => message([1, 1], [2, message([1, 0], [2, message([1, 0], [20, pointer])])]);
const mm = (...areas: Uint8Array[]) =>
  image(MM, message([1, 7], ...areas.map((a): [number, Field] => [14, a])));
const pagemap = (id: number, ...entries: Uint8Array[]) => image(PAGEMAP, message([1, id]), ...entries);

function dump(t: Test, files: Record<string, Buffer>): string {
  const directory = join(scratch(t), 'images');
  mkdirSync(directory);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(directory, name), bytes);
  return directory;
}

t.test('pages that are not lazy are found by where they stand in the file of pages', (t) => {
  const directory = dump(t, {
    'pagemap-7.img': pagemap(
      3,
      entry(100, 2, PRESENT),
      entry(200, 5, PRESENT | LAZY),
      // Of a parent's dump: it is in no file here.
      entry(300, 4, 1),
      entry(400, 1, PRESENT),
    ),
    'pagemap-shmem-9.img': pagemap(4, entry(0, 3, PRESENT)),
  });
  t.same([...eagerPages(directory)].sort(), [
    ['pages-3.img', [0, 1, 7]],
    ['pages-4.img', [0, 1, 2]],
  ]);
  t.end();
});

t.test(
  'where a stack pointer at the beginning of a page has kept CRIU from marking pages, they are marked',
  (t) => {
    const directory = dump(t, {
      'core-7.img': image(CORE, core(500 * PAGE_BYTES)),
      'core-8.img': image(CORE, core(12 * PAGE_BYTES + 64)),
      'mm-7.img': mm(
        area(10, 20, ANONYMOUS),
        area(30, 5, FILE),
        area(40, 5, LOCKED),
        area(495, 10, ANONYMOUS),
        area(600, 1, ANONYMOUS, 1 | 8),
      ),
      'pagemap-7.img': pagemap(
        1,
        entry(11, 24, PRESENT),
        entry(40, 2, PRESENT),
        entry(499, 3, PRESENT),
        entry(600, 1, PRESENT),
      ),
    });
    markLazyPages(directory);
    const eager = [1, ...[19, 20, 21, 22, 23], ...[24, 25], 27, 29];
    t.same(eagerPages(directory).get('pages-1.img'), eager);
    const before = readFileSync(join(directory, 'pagemap-7.img'));
    markLazyPages(directory);
    t.ok(readFileSync(join(directory, 'pagemap-7.img')).equals(before));
    t.end();
  },
);

t.test('a pagemap in which CRIU has marked pages stays as it is', (t) => {
  const bytes = pagemap(1, entry(10, 2, PRESENT), entry(12, 2, PRESENT | LAZY));
  const files = {
    'core-7.img': image(CORE, core(64)),
    'mm-7.img': mm(area(10, 20, ANONYMOUS)),
    'pagemap-7.img': bytes,
  };
  const directory = dump(t, files);
  markLazyPages(directory);
  t.ok(readFileSync(join(directory, 'pagemap-7.img')).equals(bytes));
  t.end();
});

t.test('images of another kind say nothing, and stay as they are', (t) => {
  const whole = pagemap(1, entry(10, 2, PRESENT));
  for (const [name, bytes] of Object.entries({
    'another beginning': Buffer.from('no image at all'),
    'cut off': whole.subarray(0, whole.length - 1),
    'no message': image(PAGEMAP, Buffer.from([0xff, 0xff, 0xff])),
    'registers of another machine': whole,
  })) {
    const files = {
      'core-7.img': image(CORE, message([1, 5], [8, message([1, 0])])),
      'mm-7.img': mm(area(10, 20, ANONYMOUS)),
      'pagemap-7.img': bytes,
    };
    const directory = dump(t, files);
    markLazyPages(directory);
    t.ok(readFileSync(join(directory, 'pagemap-7.img')).equals(bytes), name);
    if (bytes !== whole) t.equal(eagerPages(directory).size, 0, name);
  }
  t.end();
});
