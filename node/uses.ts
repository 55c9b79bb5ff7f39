/** The volumes that active snapshots use now: told by the snapshotter, followed by completion, shown by status. */
import type { Root } from '../blocks/types.ts';

export interface Uses {
  set(roots: ReadonlySet<Root>): void;
  get(): ReadonlySet<Root>;
}

export function createUses(onChange: (roots: ReadonlySet<Root>) => void): Uses {
  let current: ReadonlySet<Root> = new Set();
  return {
    set(roots) {
      current = roots;
      onChange(roots);
    },
    get: () => current,
  };
}
