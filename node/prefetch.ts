/** Brings whole volumes to this node, behind what containers wait for; tells how far it is. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlockId, BlockStore, Root } from '../blocks/types.ts';
import type { Neighbours } from '../peers/types.ts';
import { atOnce } from './at-once.ts';
import type { Progress } from './control.ts';

/** Wants under way at once. */
const AT_ONCE = 64;
const TELL_EVERY_MS = 200;

interface Parts {
  roots: readonly Root[];
  neighbours: Pick<Neighbours, 'fetchVolume' | 'want'>;
  blocks: BlockStore;
  signal: AbortSignal;
}

/** Rejects with the first block's error when one cannot be had within the configured bound. What it has brought may not be on the disk for good yet. */
export async function* prefetchVolumes({
  roots,
  neighbours,
  blocks,
  signal,
}: Parts): AsyncGenerator<Progress> {
  const wanted = new Map<BlockId, { root: Root; bytes: number }>();
  for (const root of roots) {
    const index = await neighbours.fetchVolume(root);
    for (let i = 0; i < index.blockCount; i++) {
      wanted.set(index.blockId(i), { root, bytes: index.offset(i + 1) - index.offset(i) });
    }
  }
  const progress: Progress = { doneBlocks: 0, totalBlocks: wanted.size, doneBytes: 0, totalBytes: 0 };
  for (const [id, { bytes }] of wanted) {
    progress.totalBytes += bytes;
    if (!blocks.has(id)) continue;
    wanted.delete(id);
    progress.doneBlocks++;
    progress.doneBytes += bytes;
  }
  const ending = new AbortController();
  const stop = AbortSignal.any([signal, ending.signal]);
  let isDone = false;
  const work = atOnce(wanted, AT_ONCE, async ([id, { root, bytes }]) => {
    await neighbours.want(id, 'prefetch', stop, root);
    progress.doneBlocks++;
    progress.doneBytes += bytes;
  }).finally(() => {
    isDone = true;
  });
  try {
    while (!isDone) {
      yield { ...progress };
      await Promise.race([work, sleep(TELL_EVERY_MS)]);
    }
    await work;
    yield progress;
  } finally {
    ending.abort(new Error('the prefetch was given up'));
    work.catch(() => {});
  }
}
