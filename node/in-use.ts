/**
 * The blocks that must stay on this node: the metadata blocks of every volume that it offers as mountable (a kernel that waits
 * for metadata cannot be killed), and all blocks of the volumes that running containers use, if these are to be completed.
 *
 * A volume's metadata is added before its record is written (`keep`), inside the gate; all else is found out anew after each
 * change. While a volume is being made, everything counts as in use, since a block that was found here may become part of it.
 */
import { setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Logger } from 'pino';
import { IdSet } from '../blocks/id-set.ts';
import type { BlockId, Root, VolumeIndex, VolumeStore } from '../blocks/types.ts';
import type { Gate } from './gate.ts';
import type { LayerRecords } from './records.ts';

/** Blocks handled between two turns of the event loop. */
const SLICE = 8192;

export interface InUse {
  has(id: BlockId): boolean;
  /** The volume is about to be recorded as mountable. */
  keep(index: VolumeIndex): void;
  /** Records or the volumes of running containers have changed. */
  changed(): void;
}

interface Parts {
  records: LayerRecords;
  volumes: VolumeStore;
  gate: Gate;
  /** Volumes of which every block is to stay. */
  whole: () => ReadonlySet<Root>;
  /** After each time that it was found out anew. */
  onChange: () => void;
  logger: Logger;
}

export function createInUse({ records, volumes, gate, whole, onChange, logger }: Parts): InUse {
  let current: IdSet | undefined;
  let next: IdSet | undefined;
  let isDirty = false;

  async function add(to: IdSet, root: Root, all: boolean): Promise<void> {
    const index = await volumes.get(root);
    if (index === undefined) return;
    for (let i = 0; i < index.blockCount; i++) {
      if (all || index.isMetadata(i)) to.add(index.blockId(i));
      if (i % SLICE === SLICE - 1) await yieldToEvents();
    }
  }

  async function rebuild(): Promise<void> {
    while (isDirty) {
      // Changes come several at a time.
      await yieldToEvents();
      isDirty = false;
      const set = new IdSet();
      next = set;
      const entire = whole();
      const roots = new Set([...records.all()].map(({ root }) => root));
      for (const root of new Set([...entire, ...roots])) await add(set, root, entire.has(root));
      current = set;
      next = undefined;
    }
    onChange();
  }

  function changed(): void {
    isDirty = true;
    if (next !== undefined) return;
    next = new IdSet();
    rebuild().catch((error: unknown) => {
      // Nothing is dropped until it could be found out.
      current = undefined;
      next = undefined;
      logger.error({ err: error }, 'the blocks in use could not be found out');
    });
  }

  changed();
  return {
    has: (id) => current === undefined || gate.isMaking() || current.has(id),
    keep(index) {
      for (const set of [current, next]) {
        for (let i = 0; set && i < index.blockCount; i++) if (index.isMetadata(i)) set.add(index.blockId(i));
      }
    },
    changed,
  };
}
