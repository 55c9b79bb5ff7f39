import { createHash } from 'node:crypto';
import t from 'tap';
import { MAX_BLOCK_BYTES } from './block.ts';
import { seededPick } from './testing.ts';
import { PAGE_BYTES } from './types.ts';
import {
  BadIndexError,
  type BlockEntry,
  decodeIndex,
  encodeIndex,
  MAX_INDEX_BYTES,
  rootOf,
} from './volume.ts';

const FORMAT = 'erofs-tar-lz4-1';

function entries(count: number, seed = 'e'): BlockEntry[] {
  return Array.from({ length: count }, (_, i) => ({
    id: createHash('sha256').update(`${seed}${i}`).digest('hex'),
    sizeBytes: ((i * 7) % 128) * PAGE_BYTES + PAGE_BYTES,
    metadata: i % 5 === 0,
  }));
}

t.test('an index decodes to what was encoded', async (t) => {
  for (const count of [1, 7, 8, 9, 1000]) {
    const blocks = entries(count);
    const encoded = encodeIndex(FORMAT, blocks);
    const index = decodeIndex(encoded);
    t.equal(index.root, rootOf(encoded));
    t.equal(index.format, FORMAT);
    t.equal(index.blockCount, count);
    t.equal(
      index.sizeBytes,
      blocks.reduce((sum, block) => sum + block.sizeBytes, 0),
    );
    t.equal(index.offset(count), index.sizeBytes);
    const decoded = blocks.map((_, i) => ({
      id: index.blockId(i),
      sizeBytes: index.offset(i + 1) - index.offset(i),
      metadata: index.isMetadata(i),
    }));
    t.same(decoded, blocks);
  }
});

t.test('the block of any byte is found', async (t) => {
  const blocks = entries(300);
  const index = decodeIndex(encodeIndex(FORMAT, blocks));
  for (let i = 0; i < index.blockCount; i++) {
    if (index.blockAt(index.offset(i)) !== i || index.blockAt(index.offset(i + 1) - 1) !== i)
      t.fail(`block ${i}`);
  }
  for (const outside of [-1, index.sizeBytes, Number.NaN]) t.throws(() => index.blockAt(outside), RangeError);
  t.throws(() => index.blockId(300), RangeError);
  t.throws(() => index.isMetadata(-1), RangeError);
  t.throws(() => index.offset(301), RangeError);
});

t.test('a block is found where it stands first, and nothing else is', async (t) => {
  const blocks = entries(100);
  const index = decodeIndex(encodeIndex(FORMAT, [...blocks, ...blocks]));
  t.same(
    blocks.map(({ id }) => index.positionOf(id)),
    blocks.map((_, i) => i),
  );
  const across = blocks[0]!.id.slice(32) + blocks[1]!.id.slice(0, 32);
  for (const absent of [across, entries(1, 'x')[0]!.id, '', blocks[0]!.id.slice(2)]) {
    t.equal(index.positionOf(absent), -1, absent);
  }
});

t.test('the decoder keeps no hold on the message that the index came in', async (t) => {
  const message = encodeIndex(FORMAT, entries(10));
  const index = decodeIndex(message);
  const { root } = index;
  message.fill(0);
  t.equal(rootOf(index.encoded), root);
});

t.test('100,000 blocks cost under 5 MB', async (t) => {
  t.ok(decodeIndex(encodeIndex(FORMAT, entries(100_000))).memoryBytes < 5e6);
});

t.test('a list that no decoder would take is not encoded', async (t) => {
  const [good] = entries(1);
  const bad: Array<[string, BlockEntry[]]> = [
    ['UPPER', [good!]],
    ['', [good!]],
    [FORMAT, []],
    [FORMAT, [{ ...good!, sizeBytes: 0 }]],
    [FORMAT, [{ ...good!, sizeBytes: 100 }]],
    [FORMAT, [{ ...good!, sizeBytes: MAX_BLOCK_BYTES + PAGE_BYTES }]],
    [FORMAT, [{ ...good!, id: 'xyz' }]],
    [FORMAT, [{ ...good!, id: `${good!.id}00` }]],
  ];
  for (const [format, blocks] of bad) t.throws(() => encodeIndex(format, blocks), BadIndexError);
});

t.test('truncated, lengthened, padded and empty indexes are refused', async (t) => {
  const encoded = encodeIndex(FORMAT, entries(9));
  for (let length = 0; length < encoded.length; length++) {
    t.throws(() => decodeIndex(encoded.subarray(0, length)), BadIndexError);
  }
  t.throws(() => decodeIndex(Buffer.concat([encoded, Buffer.alloc(1)])), BadIndexError);
  const padded = Buffer.from(encoded);
  padded[padded.length - 1]! |= 0x80;
  t.throws(() => decodeIndex(padded), BadIndexError);
  t.throws(() => decodeIndex(Buffer.alloc(MAX_INDEX_BYTES + 1)), BadIndexError);
});

t.test('100,000 mutations: each is refused, or is the canonical encoding of another index', async (t) => {
  const pick = seededPick(t);
  const originals = [1, 8, 20].map((count) => encodeIndex(FORMAT, entries(count)));
  let accepted = 0;
  for (let round = 0; round < 100_000; round++) {
    const bytes = mutate(originals[pick(originals.length)]!, pick);
    try {
      const index = decodeIndex(bytes);
      accepted++;
      const blocks = Array.from({ length: index.blockCount }, (_, i) => ({
        id: index.blockId(i),
        sizeBytes: index.offset(i + 1) - index.offset(i),
        metadata: index.isMetadata(i),
      }));
      if (!encodeIndex(index.format, blocks).equals(bytes)) t.fail(`not canonical in round ${round}`);
    } catch (error) {
      if (!(error instanceof BadIndexError)) throw error;
    }
  }
  t.ok(accepted > 0, `${accepted} were other indexes`);
});

function mutate(original: Buffer, pick: (n: number) => number): Buffer {
  let bytes = Buffer.from(original);
  for (let times = 1 + pick(3); times > 0; times--) {
    const at = pick(Math.min(bytes.length, pick(2) ? 40 : bytes.length));
    switch (pick(5)) {
      case 0:
        bytes[at]! ^= 1 << pick(8);
        break;
      case 1:
        bytes[at] = pick(256);
        break;
      case 2:
        bytes = bytes.subarray(0, at + 1);
        break;
      case 3:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.alloc(1 + pick(40), pick(256)),
          bytes.subarray(at),
        ]);
        break;
      default:
        bytes.writeUInt32LE(
          pick(2 ** 32),
          Math.max(0, Math.min(at, bytes.length - 4)) % Math.max(1, bytes.length - 3),
        );
    }
    if (bytes.length < 4) break;
  }
  return bytes;
}
