/** The journal: one line a message on standard error, with the priority prefix that systemd reads (sd-daemon(3)). */
import { writeSync } from 'node:fs';
import type { Log } from './types.ts';

/** No more lines than this a second: thousands of reads may fail at once. */
const LINES_PER_SECOND_MAX = 50;

export function createLog(): Log {
  let second = 0;
  let lines = 0;

  function write(priority: number, message: string): void {
    const now = Math.floor(Date.now() / 1000);
    if (now !== second) {
      if (lines > LINES_PER_SECOND_MAX) put(`<4>${lines - LINES_PER_SECOND_MAX} lines were left out`);
      second = now;
      lines = 0;
    }
    if (++lines <= LINES_PER_SECOND_MAX) put(`<${priority}>${message}`);
  }

  return {
    info: (message) => write(6, message),
    warning: (message) => write(4, message),
    error: (message) => write(3, message),
  };
}

function put(line: string): void {
  try {
    writeSync(2, `${line.replaceAll('\n', ' ')}\n`);
  } catch {
    // A full or closed journal must not stop a read.
  }
}
