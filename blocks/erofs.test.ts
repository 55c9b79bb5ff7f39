import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { BadImageError, metadataPages } from './erofs.ts';
import type { Compression } from './format.ts';
import { layerTar } from './layer-tar.ts';
import { type Attributes, type Content, childrenOf, type Inode, newDirectory } from './layer-tree.ts';
import type { PageSet } from './page-set.ts';
import { tarPadding } from './tar-write.ts';
import { imageOf, listTree, mountImage, scratch, seededPick } from './testing.ts';
import { PAGE_BYTES } from './types.ts';

type Pick = (limit: number) => number;

/** A tree with all kinds of inodes, names, sizes and xattrs; `data` makes the bytes of a file. */
function randomTree(pick: Pick, entries: number): Inode {
  const root = newDirectory();
  const directories = [root];
  for (let i = 0; i < entries; i++) {
    const parent = directories[pick(directories.length)]!;
    const inode: Inode = { ...randomAttributes(pick), content: randomContent(pick, i) };
    childrenOf(parent)!.set(`${i}-${'n'.repeat(pick(120))}`, inode);
    if (childrenOf(inode)) directories.push(inode);
    if (inode.content.type === 'file' && pick(10) === 0) childrenOf(parent)!.set(`${i}-link`, inode);
  }
  return root;
}

function randomAttributes(pick: Pick): Attributes {
  const xattrs = new Map<string, Buffer>();
  for (let n = pick(8) === 0 ? 1 + pick(40) : 0; n > 0; n--) {
    xattrs.set(`trusted.x${n}${'y'.repeat(pick(40))}`, Buffer.alloc(pick(200), n));
  }
  const modified = { seconds: pick(2 ** 31), nanoseconds: pick(2) * pick(1e9) };
  return { mode: pick(0o10000), uid: pick(2) * pick(200_000), gid: pick(3), modified, xattrs };
}

function randomContent(pick: Pick, i: number): Content {
  switch (pick(8)) {
    case 0:
      return { type: 'directory', children: new Map() };
    case 1:
      return { type: 'symlink', target: 't'.repeat(1 + pick(pick(4) === 0 ? 4000 : 60)) };
    case 2:
      return { type: 'char', major: pick(256), minor: pick(2 ** 20) };
    case 3:
      return { type: 'fifo' };
    default:
      return { type: 'file', sizeBytes: pick(12) === 0 ? pick(1_500_000) : pick(9000), source: i };
  }
}

async function* tarOf(root: Inode, pick: Pick): AsyncGenerator<Buffer> {
  const { head, files, tail } = layerTar(root);
  yield* head;
  for (const { header, sizeBytes } of files) {
    yield header;
    // Half compressible, so that lz4 makes clusters of all lengths.
    const data = Buffer.alloc(sizeBytes);
    for (let at = 0; at + 4 <= sizeBytes; at += 4) data.writeUInt32LE(pick(2) ? pick(2 ** 32) : at >> 9, at);
    yield data;
    yield tarPadding(sizeBytes);
  }
  yield* tail;
}

function pagesOf(image: Buffer): PageSet {
  return metadataPages((into, position) => image.copy(into, 0, position), image.length);
}

/** A copy in which all that is no metadata is overwritten. */
function withoutData(image: string): { spoiled: string; dataPages: number } {
  const bytes = readFileSync(image);
  const pages = pagesOf(bytes);
  let dataPages = 0;
  for (let page = 0; page < pages.pageCount; page++) {
    if (pages.has(page)) continue;
    dataPages++;
    bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
  }
  const spoiled = `${image}.spoiled`;
  writeFileSync(spoiled, bytes);
  return { spoiled, dataPages };
}

/** Where the kernel says that each file's data are (FIEMAP). */
function extents(mountPoint: string): string {
  const script = `cd "$0" && find . -type f -size +0 -print0 | sort -z | xargs -0 -r filefrag -e`;
  return execFileSync('sh', ['-c', script, mountPoint], { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

const COMPRESSIONS: Compression[] = ['lz4', 'none', 'zstd'];
for (const compression of COMPRESSIONS) {
  t.test(`the kernel walks the whole tree from the metadata pages alone, ${compression}`, async (t) => {
    const pick = seededPick(t);
    const dir = scratch(t);
    const image = await imageOf(dir, tarOf(randomTree(pick, 600), pick), compression);
    const { spoiled, dataPages } = withoutData(image);
    t.ok(dataPages > 0);
    const [whole, walked] = [await mountImage(t, image), await mountImage(t, spoiled)];
    t.strictSame(listTree(walked, { withData: false }), listTree(whole, { withData: false }));
    t.equal(extents(walked), extents(whole));
  });
}

t.test(
  'file tails inline, and full indexes: what other options of mkfs.erofs make is understood, too',
  async (t) => {
    const pick = seededPick(t);
    const dir = scratch(t);
    for (const option of [
      '-Einline_data',
      '-Elegacy-compress',
      '-Eforce-inode-extended',
      '--chunksize=65536',
    ]) {
      const compression = option.startsWith('--chunk') ? 'none' : 'lz4';
      const image = await imageOf(dir, tarOf(randomTree(pick, 200), pick), compression, [option]);
      const { spoiled } = withoutData(image);
      const [whole, walked] = [await mountImage(t, image), await mountImage(t, spoiled)];
      t.strictSame(listTree(walked, { withData: false }), listTree(whole, { withData: false }), option);
      t.equal(extents(walked), extents(whole), option);
    }
  },
);

t.test('large directories and files have their index pages found', async (t) => {
  const pick = seededPick(t);
  const root = newDirectory();
  const many = newDirectory();
  childrenOf(root)!.set('many', many);
  const content: Content = { type: 'symlink', target: 'x' };
  for (let i = 0; i < 3000; i++) childrenOf(many)!.set(`entry-${i}`, { ...newDirectory(), content });
  childrenOf(root)!.set('big', {
    ...newDirectory(),
    content: { type: 'file', sizeBytes: 30_000_000, source: 0 },
  });
  const image = await imageOf(scratch(t), tarOf(root, pick));
  const { spoiled } = withoutData(image);
  const [whole, walked] = [await mountImage(t, image), await mountImage(t, spoiled)];
  t.strictSame(listTree(walked, { withData: false }), listTree(whole, { withData: false }));
  t.equal(extents(walked), extents(whole));
});

t.test('malformed images are refused with one error, whatever bytes are wrong', async (t) => {
  const pick = seededPick(t);
  const good = readFileSync(await imageOf(scratch(t), tarOf(randomTree(pick, 100), pick)));
  const pages = pagesOf(good);
  const metadata = Array.from({ length: pages.pageCount }, (_, page) => page).filter((page) =>
    pages.has(page),
  );
  let refused = 0;
  for (let round = 0; round < 5000; round++) {
    const bytes = pick(20) === 0 ? good.subarray(0, pick(good.length)) : good;
    const changes = Array.from({ length: 1 + pick(8) }, () => ({
      at: metadata[pick(metadata.length)]! * PAGE_BYTES + pick(PAGE_BYTES),
      byte: pick(256),
    }));
    try {
      metadataPages((into, position) => {
        const length = bytes.copy(into, 0, position);
        for (const { at, byte } of changes)
          if (at >= position && at < position + length) into[at - position] = byte;
        return length;
      }, bytes.length);
    } catch (error) {
      if (!(error instanceof BadImageError)) throw error;
      refused++;
    }
  }
  t.ok(refused > 0, `${refused} refused`);
});

t.test('what is no image is refused', async (t) => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(100),
    Buffer.alloc(PAGE_BYTES),
    Buffer.alloc(3 * PAGE_BYTES, 0xe2),
  ]) {
    t.throws(() => pagesOf(bytes), BadImageError);
  }
});
