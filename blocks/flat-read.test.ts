import t from 'tap';
import { flatHead, HOLE, headPages, type Placed, pagesOf } from './flat-image.ts';
import { bytesOf, filesOfFlat } from './flat-read.ts';
import { PAGE_BYTES } from './types.ts';

/** Many names, so that the directory has several pages. */
function files(): Placed[] {
  const flat = Array.from({ length: 300 }, (_, i) => ({
    name: `${'é'.repeat(i % 40)}${i}.img`,
    sizeBytes: (i * 1777) % 20_000,
  }));
  const from = headPages(flat);
  return flat.map((file, i) => {
    const pages = Uint32Array.from({ length: pagesOf(file) }, (_, page) => from + ((i * 31 + page * 7) % 50));
    if (i % 5 === 0) pages[0] = HOLE;
    return { ...file, pages: pages.subarray(0, pagesOf(file)) };
  });
}

t.test('what was written of the files is read', (t) => {
  const written = files();
  const head = flatHead(written, 10_000, '00000000-0000-0000-0000-000000000001');
  const read = filesOfFlat(head);
  t.equal(read.size, written.length);
  for (const file of written) t.same(read.get(file.name), file);
  t.end();
});

t.test("a file's bytes, where they lie in this part of the image", (t) => {
  const image = Buffer.concat([Buffer.alloc(2 * PAGE_BYTES, 1), Buffer.alloc(PAGE_BYTES, 2)]);
  const file = { name: 'a', sizeBytes: PAGE_BYTES + 3, pages: Uint32Array.of(2, 0) };
  t.same(bytesOf(image, file), Buffer.concat([Buffer.alloc(PAGE_BYTES, 2), Buffer.alloc(3, 1)]));
  t.equal(bytesOf(image, { ...file, pages: Uint32Array.of(2, 3) }), undefined);
  t.end();
});

t.test('what is no head is refused', (t) => {
  t.throws(() => filesOfFlat(Buffer.alloc(100)));
  t.throws(() => filesOfFlat(Buffer.alloc(10 * PAGE_BYTES)));
  const written = files();
  const head = flatHead(written, 10_000, '00000000-0000-0000-0000-000000000001');
  for (let cut = 2000; cut < head.length - PAGE_BYTES; cut += 3001)
    t.throws(() => filesOfFlat(head.subarray(0, cut)), `${cut}`);
  t.end();
});
