/** Who uses which layer. Pure: from the records alone, since the kernel does not tell which lowers overlays use. */
import type { Root } from '../blocks/types.ts';
import type { Catalogue } from './catalogue.ts';
import { type CommittedAt, isAt } from './record.ts';

export interface Uses {
  /** Volumes in the chain of a view or an active snapshot. */
  active: Set<Root>;
  /** These, and volumes below a layer that is being ingested: they have to be mounted. */
  needed: Set<Root>;
  /** Swapped layers whose directory nobody has mounted: it can go. */
  retired: CommittedAt<'swapped'>[];
}

/** `ingesting` are the ids of layers that ingest is reading, with all below them. */
export function usesOf(catalogue: Catalogue, ingesting: ReadonlySet<number>, bootId: string): Uses {
  const active = new Set<Root>();
  const needed = new Set<Root>();
  const held = new Set<number>();
  const records = catalogue.all();
  for (const user of records) {
    const open = user.kind !== 'committed';
    if (!open && !ingesting.has(user.id)) continue;
    for (const { id, layer } of catalogue.chain(user)) {
      if (layer.at === 'directory') continue;
      needed.add(layer.root);
      if (open) active.add(layer.root);
      if (layer.at === 'swapped' && layer.bootId === bootId && user.id < layer.before) held.add(id);
    }
  }
  const retired = records.filter((record) => isAt(record, 'swapped')).filter(({ id }) => !held.has(id));
  return { active, needed, retired };
}
