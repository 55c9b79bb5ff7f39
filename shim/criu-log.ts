/** What CRIU gives as its reasons, in a log of its own. */
import { readFileSync } from 'node:fs';
import type { Arguments } from './arguments.ts';
import { tell } from './runc.ts';

const LINES = 4;

/** The last lines that tell of errors, without their times; '' where there are none. */
export function criuErrors(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return '';
  }
  const errors = text.split('\n').filter((line) => /\bError\b/.test(line));
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
