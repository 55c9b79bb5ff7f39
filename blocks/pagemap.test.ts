import t from 'tap';
import { decodePagemap, runAt } from './pagemap.ts';
import { LAZY, PRESENT, pagemapImage } from './pagemap.twin.ts';

const HIGH = 0x7fff_1234_5000;

t.test('each run of addresses is told with where its pages are in the file', (t) => {
  const image = pagemapImage(3, [
    { address: 0x1000, pages: 2, flags: PRESENT },
    { address: HIGH, pages: 5, flags: PRESENT | LAZY },
    { address: HIGH + 0x10000, pages: 1 },
  ]);
  t.same(decodePagemap(image), {
    id: 3,
    runs: [
      { address: 0x1000, pages: 2, isLazy: false, at: 0 },
      { address: HIGH, pages: 5, isLazy: true, at: 2 },
      { address: HIGH + 0x10000, pages: 1, isLazy: false, at: 7 },
    ],
  });
  t.end();
});

t.test('maps of CRIU before 4.2 are read, too', (t) => {
  const image = pagemapImage(1, [{ address: 0x1000, pages: 9, flags: PRESENT, isOld: true }]);
  t.match(decodePagemap(image).runs, [{ pages: 9 }]);
  t.end();
});

t.test('an address is found in its run only', (t) => {
  const map = decodePagemap(
    pagemapImage(1, [
      { address: 0x1000, pages: 2 },
      { address: 0x3000, pages: 1 },
      { address: 0x8000, pages: 1 },
    ]),
  );
  const found = [0, 0xfff, 0x1000, 0x2fff, 0x3000, 0x4000, 0x8fff, 0x9000].map(
    (address) => runAt(map, address)?.at,
  );
  t.same(found, [undefined, undefined, 0, 0, 2, undefined, 3, undefined]);
  t.end();
});

t.test('what is no map of a whole dump is refused', (t) => {
  const good = pagemapImage(1, [{ address: 0x1000, pages: 2 }]);
  const wrong: Record<string, Buffer> = {
    empty: Buffer.alloc(0),
    'another image': Buffer.alloc(64),
    'cut off': good.subarray(0, -1),
    'no file of pages': good.subarray(0, 8),
    'pages of an earlier dump': pagemapImage(1, [{ address: 0x1000, pages: 2, flags: 1 }]),
    'pages that are nowhere': pagemapImage(1, [{ address: 0x1000, pages: 2, flags: LAZY }]),
  };
  for (const [why, image] of Object.entries(wrong)) t.throws(() => decodePagemap(image), why);
  t.end();
});
