/** "Did you mean …?": the known name that takes the fewest edits. */

/** Undefined when nothing is near enough to be a slip of the hand. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const last = name.slice(name.lastIndexOf('.') + 1);
  let best: { name: string; edits: number } | undefined;
  for (const candidate of known) {
    // A right key in the wrong table is as near as one slip.
    const misplaced = candidate.slice(candidate.lastIndexOf('.') + 1) === last ? 1 : Number.POSITIVE_INFINITY;
    const edits = Math.min(misplaced, editDistance(name.slice(0, 100), candidate));
    if (edits < (best?.edits ?? Number.POSITIVE_INFINITY)) best = { name: candidate, edits };
  }
  return best !== undefined && best.edits <= Math.max(2, name.length / 3) ? best.name : undefined;
}

/** Levenshtein's distance, by one row of his table at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
