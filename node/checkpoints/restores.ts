/**
 * Checkpoints that are being restored here: their volumes are mounted, and stay as long as somebody holds the restore, that is, until all
 * memory has come. The volumes count as in use meanwhile, so none of their blocks is dropped, also when the checkpoint is removed.
 */
import type { Logger } from 'pino';
import type { BlockStore, Root } from '../../blocks/types.ts';
import type { Held } from '../../peers/directory/types.ts';
import type { Neighbours } from '../../peers/types.ts';
import type { Touched } from '../../shim/protocol.ts';
import { RefusedError } from '../control.ts';
import type { ErofsMounts } from '../erofs-mounts.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { FallBack, Fallen, Killed } from './fallback.ts';
import { type FirstBlocks, firstBlocks } from './first-blocks.ts';
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
  /** Begins what a restore here will wait for, while the container is still made. */
  ahead(record: Held<'checkpoint'>): Ahead;
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
  /** A container waits to be restored, or for memory that is on its way: but not for ever, when nobody has it. */
  isBringing(): boolean;
  /** Ends the mounts that nobody holds: of restores that ended while this process was not there. Answers how many. */
  sweep(): Promise<number>;
}

export interface Ahead {
  /** A layer of the container, whose metadata is here: whoever offers it to containerd finds it mounted. */
  mount(root: Root): void;
  /** The container is made, or nothing has come of it. */
  end(): Promise<void>;
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

/** The volumes of a checkpoint, as all of its restores share them. */
interface Opened {
  users: number;
  roots: Root[];
  ending: AbortController;
  /** CRIU's images, mounted. */
  images: Promise<string>;
  /** From when the images are mounted. */
  first: Promise<FirstBlocks>;
}

/** How long others may take to tell of a checkpoint that they are still making. */
const HEARD_MAX_MS = 120_000;
const BRINGING_MAX_MS = 600_000;
const REMEMBERED = 100;

export function createRestores(parts: Parts): Restores {
  const { checkpoints, neighbours, mounts, layers, log } = parts;
  /** By root, how many restores hold it. */
  const held = new Map<Root, number>();
  /** By checkpoint, while anybody uses it. */
  const opened = new Map<string, Opened>();
  const statuses: RestoreStatus[] = [];
  /** Containers that are still made. */
  let coming = 0;

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

  /** What all restores of a checkpoint share, begun by the first of them. Each of them ends its use once. */
  function use({ content }: Held<'checkpoint'>): Opened {
    const before = opened.get(content.id);
    if (before) {
      before.users++;
      return before;
    }
    const roots = [content.memory, ...content.volumes];
    for (const root of roots) hold(root);
    parts.onChange();
    const ending = new AbortController();
    const images = neighbours.fetchVolume(content.memory).then(() => mounts.ensure(content.memory));
    images.catch(() => {}); // whoever waits for it hears of it
    // Not at once: what it does must not hold up whoever waits for the images.
    const first = images.then(() => new Promise(setImmediate)).then(() => bringFirst(content, ending.signal));
    first.catch((err: unknown) => log.warn({ err }, 'memory comes in the order of its faults'));
    const fresh: Opened = { users: 1, roots, ending, images, first };
    opened.set(content.id, fresh);
    return fresh;
  }

  async function bringFirst(
    { memory, workingSet }: Held<'checkpoint'>['content'],
    signal: AbortSignal,
  ): Promise<FirstBlocks> {
    const first = await firstBlocks(parts, await neighbours.fetchVolume(memory));
    void first.bring(workingSet, signal);
    return first;
  }

  async function endUse(id: string, use: Opened): Promise<void> {
    if (--use.users > 0) return;
    opened.delete(id);
    use.ending.abort();
    // A mount that is being made would stay.
    await use.images.catch(() => {});
    for (const root of use.roots) await drop(root);
    parts.onChange();
  }

  return {
    ahead(record) {
      const shared = use(record);
      let isOver = false;
      coming++;
      return {
        mount(root) {
          if (isOver || shared.roots.includes(root)) return;
          hold(root);
          shared.roots.push(root);
          parts.onChange();
          // Whoever needs the layer mounts it again, and hears why it cannot be.
          mounts.ensure(root).catch(() => {});
        },
        end() {
          isOver = true;
          coming--;
          return endUse(record.content.id, shared);
        },
      };
    },
    async open(id, lowers, container, tell, signal) {
      const status = begin(id, container.id);
      tell(`looking for checkpoint ${id}`);
      const record = await checkpoints.find(id, AbortSignal.any([signal, AbortSignal.timeout(HEARD_MAX_MS)]));
      const shared = use(record);
      const release = async () => {
        status.failed ??= status.runningMs === undefined ? 'it was given up' : undefined;
        await endUse(id, shared);
      };
      try {
        tell('fetching the volumes');
        const mount = async (root: Root) => {
          await neighbours.fetchVolume(root);
          return mounts.ensure(root);
        };
        const writable = notAmong(record.content.volumes, lowers);
        const [images, files] = await Promise.all([shared.images, Promise.all(writable.map(mount))]);
        return {
          id,
          images,
          files,
          heard(said) {
            heard(status, said);
            if (said.event === 'killed') status.fallen = parts.fallBack(container);
          },
          touched: async (pages) => checkpoints.keepWorkingSet(id, (await shared.first).of(pages)),
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
      coming > 0 ||
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
