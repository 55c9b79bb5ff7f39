/**
 * How far long work is, on standard error: a bar on a terminal, elsewhere a plain line every few seconds. Nothing of the
 * terminal is changed that would have to be put back: the command may be interrupted at any moment.
 */
import { SingleBar } from 'cli-progress';
import type { Progress } from '../node/control.ts';
import { type Clock, realClock } from '../peers/clock.ts';
import type { admin } from '../proto/admin.ts';
import { fromInt64 } from '../proto/int64.ts';
import { bytes, count, percent } from './output.ts';

const LINE_EVERY_MS = 5000;
const BAR_COLUMNS = 30;

/** A terminal, or whatever standard error is instead. */
export type Screen = NodeJS.WritableStream & { isTTY?: boolean };

/** Shows one piece of work; `stop` leaves what was shown last. */
export interface Meter {
  show(progress: Progress): void;
  stop(): void;
}

/** Shows the replies until they end, and answers the last one: what was done in all. */
export async function follow(replies: AsyncIterable<admin.Progress>, meter: Meter): Promise<Progress> {
  let last: Progress = { doneBlocks: 0, totalBlocks: 0, doneBytes: 0, totalBytes: 0 };
  try {
    for await (const reply of replies) {
      last = progressFrom(reply);
      meter.show(last);
    }
  } finally {
    meter.stop();
  }
  return last;
}

/** `silent`: for `--json`. */
export function meterFor(title: string, options: { silent?: boolean | undefined }): Meter {
  if (options.silent) return { show() {}, stop() {} };
  return process.stderr.isTTY ? barMeter(title, process.stderr) : lineMeter(title, process.stderr);
}

export function barMeter(title: string, screen: Screen): Meter {
  let started = false;
  const bar = new SingleBar({
    stream: screen,
    format: `${title} [{bar}] {share}  {amount}`,
    barsize: BAR_COLUMNS,
    // Cuts the line at the terminal's width, rather than telling the terminal not to wrap.
    linewrap: true,
  });
  return {
    show(progress) {
      const { doneBytes, totalBytes } = progress;
      const payload = { share: shareOf(progress).padStart(5), amount: amountOf(progress) };
      if (started) {
        bar.setTotal(totalBytes);
        bar.update(doneBytes, payload);
      } else bar.start(totalBytes, doneBytes, payload);
      started = true;
    },
    stop: () => bar.stop(),
  };
}

export function lineMeter(title: string, screen: Screen, clock: Clock = realClock): Meter {
  let shown: { atMs: number; progress: Progress } | undefined;
  let last: Progress | undefined;
  const write = (progress: Progress) => {
    const { doneBlocks, totalBlocks } = progress;
    const blocks = `, ${doneBlocks.toLocaleString('en')} of ${count(totalBlocks, 'block')}`;
    screen.write(`${title}: ${shareOf(progress)}, ${amountOf(progress)}${totalBlocks > 0 ? blocks : ''}\n`);
    shown = { atMs: clock.now(), progress };
  };
  return {
    show(progress) {
      last = progress;
      if (shown === undefined || clock.now() - shown.atMs >= LINE_EVERY_MS) write(progress);
    },
    stop() {
      if (last !== undefined && last !== shown?.progress) write(last);
    },
  };
}

function shareOf({ doneBytes, totalBytes }: Progress): string {
  return percent(doneBytes, totalBytes);
}

function amountOf({ doneBytes, totalBytes }: Progress): string {
  return `${bytes(doneBytes)} of ${bytes(totalBytes)}`;
}

function progressFrom(reply: admin.Progress): Progress {
  return {
    doneBlocks: fromInt64(reply.getDoneBlocks(), 'blocks done'),
    totalBlocks: fromInt64(reply.getTotalBlocks(), 'blocks in all'),
    doneBytes: fromInt64(reply.getDoneBytes(), 'bytes done'),
    totalBytes: fromInt64(reply.getTotalBytes(), 'bytes in all'),
  };
}
