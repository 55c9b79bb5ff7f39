/** Watches a restore, shows how far it is, and answers how long it took. */
import type { Progress } from '../../node/control.ts';
import { progressFrom } from '../../peers/exchange/restore-wire.ts';
import type { RestoreProgress } from '../../peers/types.ts';
import type { peer } from '../../proto/peer.ts';
import { Failure } from '../errors.ts';
import { meterFor } from '../progress.ts';

/** Milliseconds since it was asked for. */
export interface Restored {
  runningMs: number;
  /** undefined: not waited for. */
  completeMs: number | undefined;
  totalBytes: number;
  /** Of them, what the node had before. */
  sharedBytes: number;
}

interface Options {
  silent: boolean | undefined;
  /** Until all memory is here; else until it runs. */
  wait: boolean;
  /** Once, when it runs. */
  onRunning?: () => Promise<void>;
}

/** Throws Failure when the container does not run, or was killed. */
export async function followRestore(
  replies: AsyncIterable<peer.RestoreProgress>,
  { silent, wait, onRunning }: Options,
): Promise<Restored> {
  const begunMs = performance.now();
  const meter = meterFor('memory', { silent });
  const restored: Restored = { runningMs: 0, completeMs: undefined, totalBytes: 0, sharedBytes: 0 };
  let said = '';
  try {
    for await (const reply of replies) {
      const progress = progressFrom(reply);
      if (progress.failed !== undefined) throw new Failure(progress.failed);
      if (!progress.running) {
        if (!silent && progress.text !== said) process.stderr.write(`${progress.text}\n`);
        said = progress.text;
        if (progress.totalBytes > 0) meter.show(shownOf(progress));
        continue;
      }
      if (restored.runningMs === 0) {
        restored.runningMs = performance.now() - begunMs;
        await onRunning?.();
      }
      if (!wait) return restored;
      restored.totalBytes = progress.totalBytes;
      restored.sharedBytes = progress.sharedBytes;
      meter.show(shownOf(progress));
      if (progress.complete) restored.completeMs = performance.now() - begunMs;
    }
  } finally {
    meter.stop();
  }
  if (restored.runningMs === 0) throw new Failure('the node has ended before the container ran');
  return restored;
}

/** Until the node has all that a restore will need. Throws Failure when it would not restore it. */
export async function followPreparation(
  replies: AsyncIterable<peer.RestoreProgress>,
  silent: boolean | undefined,
): Promise<void> {
  const meter = meterFor('ahead', { silent });
  try {
    for await (const reply of replies) {
      const progress = progressFrom(reply);
      if (progress.failed !== undefined) throw new Failure(progress.failed);
      if (progress.totalBytes > 0) meter.show(shownOf(progress));
      if (progress.complete) return;
    }
  } finally {
    meter.stop();
  }
  throw new Failure('the node has ended before it was prepared');
}

function shownOf({ hereBytes, totalBytes }: RestoreProgress): Progress {
  return { doneBlocks: 0, totalBlocks: 0, doneBytes: hereBytes, totalBytes };
}
