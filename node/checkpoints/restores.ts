/**
 * Checkpoints that are being restored here: their volumes are mounted, and stay as long as somebody holds the restore, that is, until all
 * memory has come. The volumes count as in use meanwhile, so none of their blocks is dropped, also when the checkpoint is removed.
 */
import type { Logger } from 'pino';
import type { BlockStore, Root } from '../../blocks/types.ts';
import type { Neighbours } from '../../peers/types.ts';
import type { Touched } from '../../shim/protocol.ts';
import { RefusedError } from '../control.ts';
import type { ErofsMounts } from '../erofs-mounts.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { FallBack, Fallen, Killed } from './fallback.ts';
import { firstBlocks } from './first-blocks.ts';
import type { RestoreEvent } from './shim-server.ts';

/** A restore that is or was under way here, for those who watch. Times in milliseconds since 1970. */
export interface RestoreStatus {
  checkpoint: string;
  container: string;
  begunMs: number;
  /** runc has restored it: its first instruction has run. */
  runningMs: number | undefined;
  /** All of its memory is here. */
  completeMs: number | undefined;
  /** Why it was killed, or was not restored. */
  failed: string | undefined;
  /** Once it was killed: what becomes of it. */
  fallen: Promise<Fallen> | undefined;
}

export interface Restore {
  id: string;
  /** CRIU's images, mounted. */
  images: string;
  /** Writable volumes to apply to the container's root file system, lowest first. */
  files: string[];
  /** What the shim says of it. */
  heard(said: RestoreEvent): void;
  /** The memory that the container has used first: the checkpoint keeps it, unless it knows already. */
  touched(pages: Touched): Promise<void>;
  release(): Promise<void>;
}

export interface Restores {
  /**
   * `lowers`: what the container's root file system lies on, nearest first, as volumes; writable volumes among them need not be applied.
   * Rejects with RefusedError.
   */
  open(
    id: string,
    lowers: readonly Root[],
    container: Killed,
    tell: (text: string) => void,
    signal: AbortSignal,
  ): Promise<Restore>;
  /** Those under way, and the last ones, newest first. */
  list(): RestoreStatus[];
  /** Volumes of restores under way. */
  inUse(): ReadonlySet<Root>;
  /** Memory that a restored container waits for is on its way: but not for ever, when nobody has it. */
  isBringing(): boolean;
  /** Ends the mounts that nobody holds: of restores that ended while this process was not there. Answers how many. */
  sweep(): Promise<number>;
}

interface Parts {
  checkpoints: Checkpoints;
  neighbours: Pick<Neighbours, 'fetchVolume' | 'want'>;
  blocks: BlockStore;
  mounts: ErofsMounts;
  /** Layers that are mountable here: their mounts are not ours to end. */
  layers: { usesRoot(root: Root): boolean };
  fallBack: FallBack;
  /** `inUse` has changed. */
  onChange: () => void;
  log: Logger;
}

/** How long others may take to tell of a checkpoint that they are still making. */
const HEARD_MAX_MS = 120_000;
const BRINGING_MAX_MS = 600_000;
const REMEMBERED = 100;

export function createRestores(parts: Parts): Restores {
  const { checkpoints, neighbours, mounts, layers, log } = parts;
  /** By root, how many restores hold it. */
  const held = new Map<Root, number>();
  const statuses: RestoreStatus[] = [];

  function begin(checkpoint: string, container: string): RestoreStatus {
    const status: RestoreStatus = {
      checkpoint,
      container,
      begunMs: Date.now(),
      runningMs: undefined,
      completeMs: undefined,
      failed: undefined,
      fallen: undefined,
    };
    statuses.unshift(status);
    statuses.length = Math.min(statuses.length, REMEMBERED);
    return status;
  }

  function hold(root: Root): void {
    held.set(root, (held.get(root) ?? 0) + 1);
  }

  async function drop(root: Root): Promise<void> {
    const left = held.get(root)! - 1;
    if (left > 0) {
      held.set(root, left);
      return;
    }
    held.delete(root);
    if (!layers.usesRoot(root)) await mounts.remove(root);
  }

  return {
    async open(id, lowers, container, tell, signal) {
      const status = begin(id, container.id);
      tell(`looking for checkpoint ${id}`);
      const record = await checkpoints.find(id, AbortSignal.any([signal, AbortSignal.timeout(HEARD_MAX_MS)]));
      const { memory, volumes: writable } = record.content;
      const roots = [memory, ...writable];
      for (const root of roots) hold(root);
      parts.onChange();
      const ending = new AbortController();
      const release = async () => {
        ending.abort();
        status.failed ??= status.runningMs === undefined ? 'it was given up' : undefined;
        for (const root of roots) await drop(root);
        parts.onChange();
      };
      try {
        tell('fetching the volumes');
        const [index] = await Promise.all(roots.map((root) => neighbours.fetchVolume(root)));
        const mapped = firstBlocks(parts, index!);
        void mapped.then(
          (first) => first.bring(record.content.workingSet, ending.signal),
          () => {},
        );
        const [images, first] = await Promise.all([mounts.ensure(memory), mapped]);
        const files = await Promise.all(notAmong(writable, lowers).map((root) => mounts.ensure(root)));
        return {
          id,
          images,
          files,
          heard(said) {
            heard(status, said);
            if (said.event === 'killed') status.fallen = parts.fallBack(container);
          },
          touched: (pages) => checkpoints.keepWorkingSet(id, first.of(pages)),
          release,
        };
      } catch (error) {
        await release().catch((err: unknown) => log.error({ err }, 'a mount of a failed restore is left'));
        status.failed = (error as Error).message;
        if (error instanceof RefusedError) throw error;
        throw new RefusedError(
          'state',
          `checkpoint ${id} cannot be restored here: ${(error as Error).message}`,
        );
      }
    },
    list: () => statuses,
    inUse: () => new Set(held.keys()),
    isBringing: () =>
      statuses.some(
        ({ begunMs, completeMs, failed }) =>
          completeMs === undefined && failed === undefined && Date.now() - begunMs < BRINGING_MAX_MS,
      ),
    async sweep() {
      const left = [...mounts.mounted()].filter((root) => !held.has(root) && !layers.usesRoot(root));
      for (const root of left) await mounts.remove(root);
      return left.length;
    },
  };
}

function heard(status: RestoreStatus, said: RestoreEvent): void {
  if (said.event === 'running') status.runningMs = Date.now();
  else if (said.event === 'complete') status.completeMs = Date.now();
  else status.failed = said.reason ?? 'it was killed';
}

/** Either all of them are lower layers already, or none is. */
function notAmong(writable: readonly Root[], lowers: readonly Root[]): readonly Root[] {
  return writable.every((root) => lowers.includes(root)) ? [] : writable;
}
