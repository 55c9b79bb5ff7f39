/** Watches a restore, shows how far it is, and answers how long it took. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Progress } from '../../node/control.ts';
import { progressFrom } from '../../peers/exchange/restore-wire.ts';
import type { RestoreProgress } from '../../peers/types.ts';
import { AdminService, type admin } from '../../proto/admin.ts';
import { askStream } from '../admin-client.ts';
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
  /** Its memory did not come, and it has begun again from the fallback of the order. */
  fellBack: boolean;
}

interface Options {
  silent: boolean | undefined;
  /** Until all memory is here; else until it runs. */
  wait: boolean;
  /** Once, when it runs. */
  onRunning?: () => Promise<void>;
  /** Told when nobody knows any longer what has become of it, since a node cannot be heard: it is asked for again until it is. */
  unheard?: (why: string) => void;
}

const ASK_AGAIN_MS = 1000;

/** Throws Failure when the container does not run, or was killed. */
export async function followRestore(
  run: string,
  order: admin.RestoreRequest,
  options: Options,
): Promise<Restored> {
  const { silent, wait, onRunning, unheard } = options;
  const begunMs = performance.now();
  const meter = meterFor('memory', { silent });
  const restored: Restored = {
    ...{ runningMs: 0, completeMs: undefined, totalBytes: 0, sharedBytes: 0 },
    fellBack: false,
  };
  let said = '';
  try {
    for await (const progress of toldOf(run, order, unheard)) {
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
      restored.fellBack = progress.fellBack;
      if (progress.totalBytes > 0) meter.show(shownOf(progress));
      if (progress.complete) restored.completeMs = performance.now() - begunMs;
    }
  } finally {
    meter.stop();
  }
  if (restored.runningMs === 0) throw new Failure('the node has ended before the container ran');
  return restored;
}

/** What the node says of it, to the end. */
async function* toldOf(
  run: string,
  order: admin.RestoreRequest,
  unheard: Options['unheard'],
): AsyncGenerator<RestoreProgress> {
  let begun = false;
  for (;;) {
    let why = 'the node has ended';
    try {
      for await (const reply of askStream(run, AdminService.restore, order)) {
        begun = true;
        const progress = progressFrom(reply);
        yield progress;
        if (progress.complete || progress.failed !== undefined) return;
      }
    } catch (error) {
      if (!(error instanceof Failure) || !unheard || (error.isRefusal && !begun)) throw error;
      why = error.message;
    }
    if (!unheard) return;
    unheard(why);
    begun = true;
    order.setFollow(true);
    await sleep(ASK_AGAIN_MS);
  }
}

/** Until the node has all that a restore will need. Throws Failure when it would not restore it. */
export async function followPreparation(
  run: string,
  order: admin.RestoreRequest,
  silent: boolean | undefined,
): Promise<void> {
  const meter = meterFor('ahead', { silent });
  try {
    for await (const progress of toldOf(run, order, undefined)) {
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
