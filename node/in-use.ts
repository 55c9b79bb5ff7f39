/**
 * The blocks that must stay on this node: the metadata blocks of every volume that it offers as mountable (a kernel that waits
 * for metadata cannot be killed), and all blocks of the volumes that running containers use, if these are to be completed.
 *
 * They follow from the records and from what runs, and are found out anew after each change. Until that is done everything counts as
 * in use, and so it does while a volume is being made, since a block that was found here may become part of it: a record is
 * written inside the gate, and tells of the change before the gate opens.
 */
import { setTimeout as sleep, setImmediate as yieldToEvents } from 'node:timers/promises';
import type { Logger } from 'pino';
import { IdSet } from '../blocks/id-set.ts';
import type { BlockId, Root, VolumeStore } from '../blocks/types.ts';
import type { Gate } from './gate.ts';
import type { LayerRecords } from './records.ts';

/** Blocks handled between two turns of the event loop. */
const SLICE = 8192;

export interface InUse {
  has(id: BlockId): boolean;
  /** False while everything counts as in use. */
  isSettled(): boolean;
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
  /** Changes come several at a time, and then there is more urgent work. */
  gatherMs: number;
}

export function createInUse({ records, volumes, gate, whole, onChange, logger, gatherMs }: Parts): InUse {
  /** undefined until they could be found out. */
  let current: IdSet | undefined;
  let isDirty = false;
  let finding: Promise<void> | undefined;

  async function add(to: IdSet, root: Root, all: boolean): Promise<void> {
    const index = await volumes.get(root);
    if (index === undefined) return;
    for (let i = 0; i < index.blockCount; i++) {
      if (all || index.isMetadata(i)) to.add(index.blockId(i));
      if (i % SLICE === SLICE - 1) await yieldToEvents();
    }
  }

  async function find(): Promise<void> {
    while (isDirty) {
      await sleep(gatherMs);
      isDirty = false;
      const set = new IdSet();
      const entire = whole();
      const roots = new Set([...records.all()].map(({ root }) => root));
      for (const root of new Set([...entire, ...roots])) await add(set, root, entire.has(root));
      current = set;
    }
  }

  function changed(): void {
    isDirty = true;
    finding ??= find()
      .catch((error: unknown) => {
        current = undefined;
        logger.error({ err: error }, 'the blocks in use could not be found out');
      })
      .finally(() => {
        finding = undefined;
        onChange();
      });
  }

  const isSettled = () => current !== undefined && finding === undefined && !gate.isMaking();

  changed();
  return { has: (id) => !isSettled() || current!.has(id), isSettled, changed };
}
