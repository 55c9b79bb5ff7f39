import t from 'tap';
import { WarmAhead } from './warm-ahead.ts';

/** Notes reads and answers which blocks were read ahead. */
function warmed(reads: readonly [block: number, tookMs: number][], blockCount = 1000): number[] {
  const found: number[] = [];
  const ahead = new WarmAhead(blockCount, (i) => {
    found.push(i);
    return '/nonexistent';
  });
  for (const [block, tookMs] of reads) ahead.note(block, tookMs);
  return found;
}

t.test('reads that do not wait for a disk read nothing ahead', async (t) => {
  t.same(warmed(Array.from({ length: 500 }, (_, i) => [i, 0.05])), []);
});

t.test('reads in order that wait read the next blocks ahead, each once', async (t) => {
  const found = warmed(Array.from({ length: 10 }, (_, i) => [i, i === 1 ? 3 : 0.05]));
  t.same(
    found,
    Array.from({ length: found.length }, (_, i) => i + 2),
  );
  t.equal(found.length, 24);
});

t.test('reads here and there read nothing ahead, however slow', async (t) => {
  t.same(warmed([500, 20, 700, 60, 900, 3].map((block) => [block, 5])), []);
});

t.test('nothing is read beyond the end', async (t) => {
  t.same(
    warmed(
      [
        [0, 5],
        [1, 5],
        [2, 5],
      ],
      4,
    ),
    [2, 3],
  );
});
