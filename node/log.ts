/**
 * The node's log: one JSON line an event, on standard output. journald takes a line's priority from its front
 * (sd-daemon(3)), so that `journalctl -p warning` finds the warnings.
 */
import { fstatSync } from 'node:fs';
import pino, { type Logger } from 'pino';

/** Of `StandardOutput=journal`: `<device>:<inode>` of the stream; anything that is started from there inherits it. */
const { JOURNAL_STREAM } = process.env;
const STDOUT = 1;

export function openLog(level: string): Logger {
  const out = pino.destination({ fd: STDOUT, sync: true });
  const { dev, ino } = fstatSync(STDOUT);
  const isJournal = JOURNAL_STREAM === `${dev}:${ino}`;
  return pino({ level, base: null, timestamp: false }, isJournal ? new WithPriority(out) : out);
}

/** Puts syslog's number of the level in front of each line. */
export class WithPriority {
  /** Asks pino to set `lastLevel` before each `write`. */
  readonly [pino.symbols.needsMetadataGsym] = true;
  lastLevel = pino.levels.values.info!;
  readonly #out: { write(line: string): unknown };

  constructor(out: { write(line: string): unknown }) {
    this.#out = out;
  }

  write(line: string): void {
    this.#out.write(`<${priorityOf(this.lastLevel)}>${line}`);
  }
}

/** syslog(3): 7 debug, 6 info, 4 warning, 3 error, 2 critical. */
function priorityOf(level: number): number {
  const { debug, info, warn, error } = pino.levels.values as Record<
    'debug' | 'info' | 'warn' | 'error',
    number
  >;
  if (level <= debug) return 7;
  if (level <= info) return 6;
  if (level <= warn) return 4;
  return level <= error ? 3 : 2;
}
