/** The volumes that active snapshots use now: told by the snapshotter, followed by completion, shown by status. */
import type { Root } from '../blocks/types.ts';

export interface Uses {
  set(roots: ReadonlySet<Root>): void;
  get(): ReadonlySet<Root>;
}

/** `onChange` gets the new set, and what left it. */
export function createUses(onChange: (roots: ReadonlySet<Root>, left: readonly Root[]) => void): Uses {
  let current: ReadonlySet<Root> = new Set();
  return {
    set(roots) {
      const left = [...current].filter((root) => !roots.has(root));
      current = roots;
      onChange(roots, left);
    },
    get: () => current,
  };
}
