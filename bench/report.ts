/** How every benchmark reports: a table for people, JSON for scripts (`--json FILE`), bounds as the exit status. */
import { writeFileSync } from 'node:fs';

export interface Bound {
  /** What is bounded, with its unit or `ratio`. */
  what: string;
  value: number;
  atMost?: number;
  atLeast?: number;
}

/** Prints rows as an aligned table: the keys of the first row are the columns; numbers are right-aligned. */
export function table(rows: readonly Record<string, string | number>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const cells = [columns, ...rows.map((row) => columns.map((column) => text(row[column] ?? '')))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  const numeric = columns.map((column) => rows.every((row) => typeof row[column] === 'number'));
  return cells
    .map((line) =>
      line.map((cell, i) => (numeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join('  '),
    )
    .join('\n');
}

function text(value: string | number): string {
  if (typeof value === 'string') return value;
  if (Number.isInteger(value)) return String(value);
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** Prints the bounds, sets the exit status to 1 when one is broken, and writes the JSON if a file was asked for. */
export function finish(results: object, bounds: readonly Bound[], jsonFile?: string): void {
  const verdicts = bounds.map((bound) => ({ ...bound, ok: holds(bound) }));
  for (const { what, value, atMost, atLeast, ok } of verdicts) {
    const limit = atMost !== undefined ? `at most ${atMost}` : `at least ${atLeast}`;
    console.log(`${ok ? 'ok  ' : 'FAIL'} ${what}: ${text(value)} (${limit})`);
  }
  if (jsonFile !== undefined) {
    writeFileSync(jsonFile, `${JSON.stringify({ ...results, bounds: verdicts }, null, 2)}\n`);
  }
  if (verdicts.some(({ ok }) => !ok)) process.exitCode = 1;
}

function holds({ value, atMost, atLeast }: Bound): boolean {
  return (
    !Number.isNaN(value) &&
    (atMost === undefined || value <= atMost) &&
    (atLeast === undefined || value >= atLeast)
  );
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
