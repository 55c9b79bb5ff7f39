/**
 * Decompresses a zstd stream of any count of frames, skippable ones included. Node's own decoder stops behind the first
 * frame, while layers often have many (one a file in "zstd:chunked" images). So the frames are told apart here, by the
 * lengths in RFC 8878, and each gets a decoder of its own.
 */
import { Readable } from 'node:stream';
import { createZstdDecompress } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';

export const ZSTD_MAGIC = 0xfd2fb528;
/** 16 magic numbers, which differ in the last 4 bits. */
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 128 * 1024;
const OUTPUT_BYTES = 256 * 1024;

const RLE_BLOCK = 1;

/** Throws `BadZstdError`, or what the decoder throws. */
export async function* unzstd(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const queue = new ByteQueue(source);
  for (let magic = await queue.upTo(4); magic !== undefined; magic = await queue.upTo(4)) {
    const number = magic.length === 4 ? magic.readUInt32LE(0) : 0;
    if ((number & ~0xf) >>> 0 === SKIPPABLE_MAGIC) {
      await skip(queue, (await exactly(queue, 4)).readUInt32LE(0));
    } else if (number === ZSTD_MAGIC) {
      const decoder = createZstdDecompress({ chunkSize: OUTPUT_BYTES });
      const frame = Readable.from(frameAfter(magic, queue)).on('error', (error) => decoder.destroy(error));
      yield* frame.pipe(decoder) as AsyncIterable<Buffer>;
    } else {
      throw new BadZstdError('no frame where one should begin');
    }
  }
}

export class BadZstdError extends Error {
  constructor(why: string) {
    super(`bad zstd stream: ${why}`);
    this.name = 'BadZstdError';
  }
}

/** The compressed bytes of one frame: header, blocks, checksum. */
async function* frameAfter(magic: Buffer, queue: ByteQueue): AsyncGenerator<Buffer> {
  const descriptor = await exactly(queue, 1);
  const flags = descriptor[0]!;
  const isSingleSegment = (flags & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : 1;
  const dictionaryBytes = [0, 1, 2, 4][flags & 3]!;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][flags >> 6]!;
  const restBytes = windowBytes + dictionaryBytes + sizeBytes;
  yield Buffer.concat([magic, descriptor, await exactly(queue, restBytes)]);
  for (let isLast = false; !isLast; ) {
    const header = await exactly(queue, 3);
    const bits = header.readUIntLE(0, 3);
    isLast = (bits & 1) === 1;
    const blockBytes = ((bits >> 1) & 3) === RLE_BLOCK ? 1 : bits >> 3;
    if (blockBytes > BLOCK_BYTES_MAX) throw new BadZstdError('block of over 128 KiB');
    yield Buffer.concat([header, await exactly(queue, blockBytes)]);
  }
  if (flags & 4) yield await exactly(queue, 4);
}

async function exactly(queue: ByteQueue, length: number): Promise<Buffer> {
  const bytes = length === 0 ? Buffer.alloc(0) : await queue.upTo(length);
  if (bytes?.length !== length) throw new BadZstdError('it is cut off');
  return bytes;
}

async function skip(queue: ByteQueue, length: number): Promise<void> {
  for (let left = length; left > 0; ) {
    const part = await queue.some(left);
    if (part === undefined) throw new BadZstdError('it is cut off');
    left -= part.length;
  }
}
