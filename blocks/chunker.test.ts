import t from 'tap';
import { MAX_BLOCK_BYTES } from './block.ts';
import { BLOCK_SIZES, type Chunk, chunks } from './chunker.ts';
import { noise } from './testing.ts';
import { PAGE_BYTES } from './types.ts';

const NO_METADATA = () => false;

async function cut(image: Buffer, isMetadata: (page: number) => boolean = NO_METADATA): Promise<Chunk[]> {
  const readAt = (into: Buffer, position: number) => image.copy(into, 0, position);
  const all: Chunk[] = [];
  for await (const chunk of chunks(readAt, image.length, isMetadata)) all.push(chunk);
  return all;
}

const image = noise(3000 * PAGE_BYTES);

t.test('the blocks are the image, in order, within their bounds', async (t) => {
  const all = await cut(image);
  t.ok(Buffer.concat(all.map(({ bytes }) => bytes)).equals(image));
  const lengths = all.map(({ bytes }) => bytes.length);
  t.ok(lengths.every((length) => length % PAGE_BYTES === 0 && length <= MAX_BLOCK_BYTES));
  t.ok(lengths.slice(0, -1).every((length) => length >= BLOCK_SIZES.min * PAGE_BYTES));
  const meanPages = image.length / PAGE_BYTES / all.length;
  t.ok(meanPages > 24 && meanPages < 40, `${meanPages} pages on average`);
});

t.test('pages that come before change only the blocks next to them', async (t) => {
  const known = new Set((await cut(image)).map(({ bytes }) => bytes.toString('latin1')));
  const moved = Buffer.concat([
    noise(7 * PAGE_BYTES, 1),
    image.subarray(0, 1500 * PAGE_BYTES),
    image.subarray(1501 * PAGE_BYTES),
  ]);
  const fresh = (await cut(moved)).filter(({ bytes }) => !known.has(bytes.toString('latin1')));
  const freshBytes = fresh.reduce((sum, { bytes }) => sum + bytes.length, 0);
  t.ok(freshBytes < image.length / 4, `${freshBytes} bytes are new`);
});

t.test('blocks begin and end where metadata do', async (t) => {
  const isMetadata = (page: number) =>
    page === 0 || (page >= 50 && page < 53) || page === 60 || page === 2999;
  let page = 0;
  const metadata: Array<[number, number]> = [];
  for (const { bytes, metadata: is } of await cut(image, isMetadata)) {
    const pages = bytes.length / PAGE_BYTES;
    for (let i = page; i < page + pages; i++) if (isMetadata(i) !== is) t.fail(`page ${i}`);
    if (is) metadata.push([page, pages]);
    page += pages;
  }
  t.same(metadata, [
    [0, 1],
    [50, 3],
    [60, 1],
    [2999, 1],
  ]);
});

t.test('what content never cuts is cut at the greatest length', async (t) => {
  const same = Buffer.alloc(1000 * PAGE_BYTES, 1);
  const lengths = (await cut(same)).map(({ bytes }) => bytes.length / PAGE_BYTES);
  t.ok(new Set(lengths.slice(0, -1)).size === 1);
});

t.test('an image shorter than a block is one block; one that is cut off is refused', async (t) => {
  t.equal((await cut(image.subarray(0, PAGE_BYTES))).length, 1);
  const short = chunks(
    (into, position) => image.copy(into, 0, position),
    image.length + PAGE_BYTES,
    NO_METADATA,
  );
  await t.rejects(async () => {
    for await (const chunk of short) t.ok(chunk);
  });
});
