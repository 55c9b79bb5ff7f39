/** What CRIU gives as its reasons, in a log of its own. */
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Arguments } from './arguments.ts';
import { tell } from './runc.ts';

const LINES = 4;
/** `(00.012345)      7: Error (criu/files.c:1221): …`: a file may well be called Error.pm. */
const IS_ERROR = /^\(\S+\)\s+(\d+: )?Error \(/;
const KEPT_BYTES = 4096;

/** The last lines that tell of errors, without their times; '' where there are none. */
export function criuErrors(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return '';
  }
  const errors = text.split('\n').filter((line) => IS_ERROR.test(line));
  return errors
    .slice(-LINES)
    .map((line) => line.replace(/^\(\d+\.\d+\)\s*/, '').trim())
    .join('; ');
}

/** runc only names CRIU's log, which may soon be gone: its errors are told while it is there. containerd shows the last error of runc's log. */
export function tellCause(args: Arguments, path: string): void {
  const errors = criuErrors(path);
  if (errors !== '') tell(args, 'error', `criu failed to ${args.verb}: ${errors}`);
}

/**
 * CRI puts the log of a dump into its archive, where it would be a thousand times as long as the reference. Of a dump that has succeeded the last
 * lines are enough; the file itself must stay.
 */
export async function shortenLog(path: string): Promise<void> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.length <= KEPT_BYTES) return;
    const end = text.slice(-KEPT_BYTES);
    await writeFile(path, end.slice(end.indexOf('\n') + 1));
  } catch {
    // Nobody needs it.
  }
}
