/** `Update` with a field mask: labels are all that may change of a snapshot. */
import { SnapshotError } from './errors.ts';

const LABEL = 'labels.';

/**
 * The labels after an update. `fields` has `labels`, or `labels.<name>` (an absent or empty value removes that label); an
 * empty list means all. Throws `invalid-argument` on any other field.
 */
export function updateLabels(
  before: Record<string, string>,
  wanted: Record<string, string>,
  fields: readonly string[],
): Record<string, string> {
  let labels = fields.length === 0 ? { ...wanted } : { ...before };
  for (const field of fields) {
    if (field === 'labels') labels = { ...wanted };
    else if (field.startsWith(LABEL)) {
      const name = field.slice(LABEL.length);
      labels[name] = wanted[name] ?? '';
    } else throw new SnapshotError('invalid-argument', `the field ${field} of a snapshot cannot be updated`);
  }
  return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ''));
}
