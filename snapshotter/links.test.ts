import { mkdirSync, readdirSync, readlinkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Links } from './links.ts';

t.test('a link points, is pointed elsewhere and goes; opening finds what is there', async (t) => {
  const folder = join(t.testdir(), 'l');
  const links = await Links.open(folder);
  await links.point(1, '/a');
  await links.point(46_655, '/b');
  await links.point(1, '/c');
  t.same(readdirSync(folder).toSorted(), ['0001', '0zzz']);
  t.equal(readlinkSync(links.path(1)), '/c');

  symlinkSync('/x', join(folder, '0001.7.new'));
  const again = await Links.open(folder);
  t.same(again.ids().toSorted(), [1, 46_655]);
  t.same(readdirSync(folder).toSorted(), ['0001', '0zzz'], 'what a crash left half made is gone');
  await again.remove(1);
  await again.remove(1);
  t.same(readdirSync(folder), ['0zzz']);
});

t.test('while a link is swapped there is always one', async (t) => {
  const folder = join(t.testdir(), 'l');
  const links = await Links.open(folder);
  for (const target of ['a', 'b']) mkdirSync(join(folder, '..', target));
  await links.point(1, '/a');
  let swapping = true;
  const swaps = (async () => {
    for (let i = 0; i < 200; i++) await Promise.all([links.point(1, `/${i}`), links.point(1, `/${i}`)]);
    swapping = false;
  })();
  while (swapping) {
    readlinkSync(links.path(1));
    await new Promise(setImmediate);
  }
  await swaps;
  t.equal(readlinkSync(links.path(1)), '/199');
  t.same(readdirSync(folder), ['0001']);
});
