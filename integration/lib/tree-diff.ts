/** Compares two listings of file trees, and names what differs. */
import type { TreeEntry } from './tree.ts';

export interface DiffOptions {
  /** Directories, by their escaped path, whose mtime is not looked at. */
  anyMtime?: ReadonlySet<string>;
}

/** One line a difference, `path: field: left, right`; none when the trees are equal. */
export function diffTrees(
  left: readonly TreeEntry[],
  right: readonly TreeEntry[],
  { anyMtime = new Set() }: DiffOptions = {},
): string[] {
  const rights = new Map(right.map((entry) => [entry.path, entry]));
  const differences: string[] = [];
  for (const entry of left) {
    const other = rights.get(entry.path);
    rights.delete(entry.path);
    if (other) differences.push(...diffEntries(entry, other, anyMtime.has(entry.path)));
    else differences.push(`${entry.path}: only on the left (${entry.type})`);
  }
  for (const entry of rights.values()) differences.push(`${entry.path}: only on the right (${entry.type})`);
  return differences;
}

function diffEntries(left: TreeEntry, right: TreeEntry, anyMtime: boolean): string[] {
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]) as Set<keyof TreeEntry>;
  if (anyMtime && left.type === 'dir' && right.type === 'dir') fields.delete('mtime');
  const show = (value: unknown) => JSON.stringify(value) ?? 'none';
  return [...fields]
    .filter((field) => show(left[field]) !== show(right[field]))
    .map((field) => `${left.path}: ${field}: ${show(left[field])}, ${show(right[field])}`);
}

/** Reads what `tree.ts` printed. */
export function parseTree(jsonl: string): TreeEntry[] {
  return jsonl
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TreeEntry);
}
