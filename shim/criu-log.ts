/** What CRIU gives as its reasons, in a log of its own. */
import { readFileSync } from 'node:fs';

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
