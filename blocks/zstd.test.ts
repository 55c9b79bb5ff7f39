import { zstdCompressSync } from 'node:zlib';
import t from 'tap';
import { collect, noise, seededPick } from './testing.ts';
import { unzstd } from './zstd.ts';

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

const parts = [
  noise(300_000),
  Buffer.alloc(2_000_000),
  Buffer.from('text '.repeat(50_000)),
  Buffer.alloc(0),
  noise(1),
];
const skippable = Buffer.concat([Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 5, 0, 0, 0]), Buffer.from('skip!')]);
const frames = parts.flatMap((part) => [zstdCompressSync(part), skippable]);

t.test('all frames are decompressed, skippable ones are skipped', async (t) => {
  t.ok((await collect(unzstd(once(Buffer.concat(frames))))).equals(Buffer.concat(parts)));
  t.equal((await collect(unzstd(once(Buffer.alloc(0))))).length, 0);
});

t.test('a stream that is cut off anywhere is refused', async (t) => {
  const whole = Buffer.concat(frames.slice(0, 4));
  const pick = seededPick(t);
  const ends = new Set([
    0,
    frames[0]!.length,
    frames[0]!.length + skippable.length,
    whole.length - skippable.length,
  ]);
  for (let round = 0; round < 100; round++) {
    const end = pick(whole.length);
    if (!ends.has(end)) await t.rejects(collect(unzstd(once(whole.subarray(0, end)))), `${end} bytes`);
  }
});

t.test('a spoiled stream is refused or decompressed, and never hangs', async (t) => {
  const pick = seededPick(t);
  const whole = zstdCompressSync(parts[2]!);
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(whole);
    bytes[pick(bytes.length)]! ^= 1 << pick(8);
    await collect(unzstd(once(bytes))).catch((error: unknown) => {
      if (!(error instanceof Error)) throw error;
    });
  }
});
