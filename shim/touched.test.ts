import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { pagemapImage } from '../blocks/pagemap.twin.ts';
import { MAX_TOUCHED } from './protocol.ts';
import { touchedPages } from './touched.ts';

const HEAP = 0x5555_0000_0000;

async function images(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-touched-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const entries = [
    { address: 0x1000, pages: 4 },
    { address: HEAP, pages: 200_000 },
  ];
  await writeFile(join(folder, 'pagemap-1.img'), pagemapImage(1, entries));
  await writeFile(join(folder, 'pagemap-22.img'), pagemapImage(2, [{ address: 0x1000, pages: 9 }]));
  return folder;
}

t.test('addresses become pages of the files, each once, neighbours together', async (t) => {
  const faults = [
    { pid: 1, address: HEAP },
    { pid: 1, address: HEAP + 0x1fff },
    { pid: 22, address: 0x3000 },
    { pid: 1, address: 0x2000 },
    { pid: 1, address: HEAP + 7 },
    { pid: 1, address: 0x5000 },
  ];
  t.same(await touchedPages(await images(t), faults), [
    [1, 4, 2],
    [2, 2, 1],
    [1, 1, 1],
  ]);
});

t.test('what is told is bounded', async (t) => {
  const faults = Array.from({ length: 40_000 }, (_, i) => ({ pid: 1, address: HEAP + i * 0x2000 }));
  t.equal((await touchedPages(await images(t), faults)).length, MAX_TOUCHED);
});
