/**
 * Gives everything away: the others have heard that this node owns nothing any more, fetch what they own now, and promise to keep it;
 * then it goes here. Ends when nothing is left but what containers use; tells how far it is after each pass.
 */
import type { BlockStore, VolumeStore } from '../blocks/types.ts';
import { blocksOfAll } from './blocks-here.ts';
import type { Progress } from './control.ts';
import type { Custody } from './custody.ts';
import type { InUse } from './in-use.ts';

/** Between passes that achieve nothing: the others are still fetching, or it is not known now what is in use here. */
const PAUSE_MS = 1000;

interface Parts extends Pick<Custody, 'custodian' | 'catalogue'> {
  inUse: InUse;
  blocks: BlockStore;
  volumes: VolumeStore;
  signal: AbortSignal;
  sleep: (ms: number) => Promise<unknown>;
}

export async function* giveAway(parts: Parts): AsyncGenerator<Progress> {
  const { custodian, catalogue, inUse, blocks, volumes, signal, sleep } = parts;
  let most = { count: 0, bytes: 0 };
  while (!signal.aborted) {
    if (!inUse.isSettled()) {
      await sleep(PAUSE_MS);
      continue;
    }
    const left = await blocksOfAll(catalogue.living(), volumes, blocks, (id) => !inUse.has(id));
    if (left.bytesHere > most.bytes) most = { count: left.countHere, bytes: left.bytesHere };
    yield {
      doneBlocks: most.count - left.countHere,
      totalBlocks: most.count,
      doneBytes: most.bytes - left.bytesHere,
      totalBytes: most.bytes,
    };
    if (left.countHere === 0) return;
    if (!(await custodian.pass())) await sleep(PAUSE_MS);
  }
}
