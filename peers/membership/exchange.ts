/**
 * Two nodes that have just connected tell each other of all members: a stream on which both sides do the same at the same time,
 * in frames with a length in front.
 *
 *   digest, count u16, then `count` times: agoMs u32, announcement
 *
 * So a new node knows all members after one round trip, and two halves of a cluster that meet again know each other.
 */
import type { Stream } from '@libp2p/interface';
import { lpStream } from '@libp2p/utils';
import { WireError } from '../exchange/wire.ts';
import type { Age } from './announcement.ts';
import { decodeDigest, encodeDigest, MAX_DIGEST_BYTES } from './digest.ts';
import { FORGET_AFTER_MS, MAX_ANNOUNCEMENT_BYTES, MAX_MEMBERS } from './limits.ts';

export const EXCHANGE_PROTOCOL = '/forage/members/1';

const AGO_BYTES = 4;
const COUNT_BYTES = 2;

export interface Book {
  digest(): Map<string, Age>;
  newerThan(digest: ReadonlyMap<string, Age>): { bytes: Buffer; agoMs: number }[];
  /** Checks, and throws what is wrong: then nothing more is read. */
  take(announcement: Buffer, agoMs: number): void;
}

/** Throws WireError and whatever `take` throws; the caller aborts the stream. */
export async function exchange(stream: Stream, book: Book, signal: AbortSignal): Promise<void> {
  const frames = lpStream(stream, { maxDataLength: Math.max(MAX_DIGEST_BYTES, MAX_ANNOUNCEMENT_BYTES) });
  const read = async () => Buffer.from((await frames.read({ signal })).subarray());
  const tell = async (theirs: Map<string, Age>) => {
    const news = book.newerThan(theirs).slice(0, MAX_MEMBERS + 1);
    const count = Buffer.alloc(COUNT_BYTES);
    count.writeUInt16BE(news.length);
    await frames.write(count, { signal });
    for (const { bytes, agoMs } of news) await frames.write(framed(bytes, agoMs), { signal });
  };
  const listen = async () => {
    const count = countFrom(await read());
    for (let i = 0; i < count; i++) {
      const { bytes, agoMs } = unframed(await read());
      book.take(bytes, agoMs);
    }
  };
  await frames.write(encodeDigest(book.digest()), { signal });
  const theirs = decodeDigest(await read());
  await Promise.all([tell(theirs), listen()]);
}

function framed(announcement: Buffer, agoMs: number): Buffer {
  const ago = Buffer.alloc(AGO_BYTES);
  ago.writeUInt32BE(Math.min(FORGET_AFTER_MS, Math.round(agoMs)));
  return Buffer.concat([ago, announcement]);
}

function unframed(frame: Buffer): { bytes: Buffer; agoMs: number } {
  if (frame.length < AGO_BYTES) throw new WireError('an announcement that is cut off');
  const agoMs = frame.readUInt32BE(0);
  if (agoMs > FORGET_AFTER_MS) throw new WireError(`an announcement of ${agoMs} ms ago`);
  return { bytes: frame.subarray(AGO_BYTES), agoMs };
}

function countFrom(frame: Buffer): number {
  const count = frame.length === COUNT_BYTES ? frame.readUInt16BE(0) : Number.POSITIVE_INFINITY;
  if (count > MAX_MEMBERS + 1) throw new WireError('a wrong count of announcements');
  return count;
}
