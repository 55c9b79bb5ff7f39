/**
 * Blocks on their way out, in buffers that are used again. Left to V8's collector, the buffers of a gigabyte grew to 70 MB before it
 * looked for them: they outlive the young generation, and in the old one it counts on room.
 */
import type { BlockId, BlockStore } from '../../blocks/types.ts';
import { buffers } from './buffers.ts';

/** Blocks read ahead of the one that is being sent: in one call, and in all. At most half a megabyte each. */
const READ_AHEAD = 4;
const READ_AHEAD_ALL = 32;

export interface Outgoing {
  /** undefined: it is not here. */
  bytes: Buffer | undefined;
  /** Nobody looks at `bytes` any more. */
  release: () => void;
}

/** A block that is not here. */
export const NOTHING: Outgoing = { bytes: undefined, release: () => {} };

let ahead = 0;

/** The block, checked as it is read. */
export async function readOutgoing(blocks: BlockStore, id: BlockId): Promise<Outgoing> {
  let lent: Buffer | undefined;
  const release = () => {
    if (lent) buffers.give(lent);
    lent = undefined;
  };
  try {
    const bytes = await blocks.get(id, (length) => {
      lent = buffers.take(length);
      return lent;
    });
    return { bytes, release };
  } catch (error) {
    release();
    throw error;
  }
}

/** The blocks in order. A few are read at the same time; those that are never taken are released here. */
export async function* readInOrder(blocks: BlockStore, ids: readonly BlockId[]): AsyncGenerator<Outgoing> {
  const reads: Promise<Outgoing>[] = [];
  const mayBegin = () => reads.length === 0 || (reads.length < READ_AHEAD && ahead < READ_AHEAD_ALL);
  try {
    for (let next = 0; next < ids.length || reads.length > 0; ) {
      while (next < ids.length && mayBegin()) {
        const read = readOutgoing(blocks, ids[next++]!);
        read.catch(() => {}); // its turn to be awaited may never come
        reads.push(read);
        ahead++;
      }
      ahead--;
      yield await reads.shift()!;
    }
  } finally {
    ahead -= reads.length;
    for (const read of reads)
      read.then(
        ({ release }) => release(),
        () => {},
      );
  }
}
