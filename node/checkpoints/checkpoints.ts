/**
 * The cluster's checkpoints, as this node has them: takes staged dumps and makes checkpoints of them behind the container's back, finds
 * those of others, and ends them everywhere.
 */
import { aborted } from 'node:util';
import type { Logger } from 'pino';
import { digestOf } from '../../blocks/digest.ts';
import type { BlockStore, ChainId, Root, VolumeStore } from '../../blocks/types.ts';
import { isCheckpointId } from '../../peers/directory/body.ts';
import type { Held } from '../../peers/directory/types.ts';
import { saidBy } from '../../peers/directory/view.ts';
import { RefusedError } from '../control.ts';
import { canonicalName } from '../image-list.ts';
import { loadObject, storeObject } from '../image-refs-object.ts';
import type { ClusterMember } from '../member.ts';
import { isKept } from '../placed.ts';
import { type CheckpointDocument, decodeDocument } from './document.ts';
import { type MakeParts, makeCheckpoint } from './make.ts';
import type { Staged, Staging } from './staging.ts';
import { encodeWorkingSet, WORKING_SET_MEDIA_TYPE } from './working-set.ts';

/** How far a checkpoint is. */
export type CheckpointStage =
  /** Volumes are being made of the dump. */
  | 'making'
  /** It is complete on this node, and owners fetch what they are to keep. */
  | 'replicating'
  /** The cluster has fewer nodes than there are to be replicas: those that there are will have it. */
  | 'few'
  /** All owners of all blocks, of its image's as well, have promised to keep them. */
  | 'kept';

export interface Checkpoints {
  stage(
    container: string,
    bytes: number,
    wished: string | undefined,
  ): Promise<{ id: string; directory: string }>;
  /** A dump that came to nothing. */
  abandon(directory: string): Promise<void>;
  /** Resolves once the folder outlives this process; the rest goes on behind. */
  take(staged: Staged): Promise<void>;
  /** Goes on with what an earlier process took. */
  resume(): Promise<void>;
  /** All that count, newest first, each once: with a working set where there is one. */
  list(): Held<'checkpoint'>[];
  /** Resolves when none of that name is being made here any more. Rejects on abort. */
  made(id: string, signal: AbortSignal): Promise<void>;
  /** Waits for one that is being made here, and until `signal` for one that others make. Rejects with RefusedError. */
  find(id: string, signal: AbortSignal): Promise<Held<'checkpoint'>>;
  document(held: Held<'checkpoint'>, signal: AbortSignal): Promise<CheckpointDocument>;
  /**
   * Numbers of blocks of its memory volume, in the order of their first use: published, so that any node brings them first. Does nothing
   * where they are known, or the checkpoint was removed. Rejects where this node cannot sign, or the disk is full.
   */
  keepWorkingSet(id: string, order: Uint32Array): Promise<void>;
  /** Ends when it is kept; each stage once. */
  settle(id: string, signal: AbortSignal): AsyncIterable<CheckpointStage>;
  /** Everywhere. Rejects with RefusedError where there is none. */
  remove(id: string): Promise<void>;
  /** The layers of the images of all of them. Rejects with RefusedError where what one needs cannot be read now. */
  layers(): Promise<ReadonlySet<ChainId>>;
  stop(): Promise<void>;
}

interface Parts extends MakeParts {
  staging: Staging;
  volumes: VolumeStore;
  blocks: MakeParts['blocks'] & BlockStore;
  member: () => ClusterMember | undefined;
  log: Logger;
}

const LOOK_EVERY_MS = 20;
/** For the document of an earlier checkpoint, which may be on the way here. */
const EARLIER_MAX_MS = 2000;
const ASK_EVERY_MS = 500;
/** A failed attempt is made again: a full disk, say, may have room later. */
const AGAIN_MS = 30_000;

export function createCheckpoints(parts: Parts): Checkpoints {
  const { staging, volumes, blocks, log } = parts;
  const stopping = new AbortController();
  const making = new Map<string, Promise<void>>();

  function member(): ClusterMember {
    const joined = parts.member();
    if (joined) return joined;
    throw new RefusedError(
      'state',
      'this node is in no cluster: checkpoints are signed, and it has no valid certificate',
    );
  }

  function newest(id: string): Held<'checkpoint'> | undefined {
    const said = member().directory.checkpoint(id);
    return said.find(({ content }) => content.workingSet) ?? said[0];
  }

  /** undefined: there is none, or it has one. */
  function lacksWorkingSet(id: string): Held<'checkpoint'> | undefined {
    const held = newest(id);
    return held?.content.workingSet ? undefined : held;
  }

  /** Of the same container, or of what it was restored from: the newest. */
  async function earlierMemory({ document }: Staged): Promise<Root | undefined> {
    const { id, namespace } = document.container;
    for (const held of list()) {
      const earlier = await documentOf(held, AbortSignal.timeout(EARLIER_MAX_MS)).catch(() => undefined);
      const isSame = earlier?.container.id === id && earlier.container.namespace === namespace;
      if (isSame || held.content.id === document.parent) return held.content.memory;
    }
    return undefined;
  }

  function list(): Held<'checkpoint'>[] {
    const byId = new Map<string, Held<'checkpoint'>>();
    for (const held of member().directory.counting()) {
      if (held.kind !== 'checkpoint') continue;
      const before = byId.get(held.content.id);
      if (!before || (held.content.workingSet && !before.content.workingSet)) byId.set(held.content.id, held);
    }
    return [...byId.values()].sort((a, b) => b.createdMs - a.createdMs);
  }

  async function documentOf(
    { content }: Held<'checkpoint'>,
    signal: AbortSignal,
  ): Promise<CheckpointDocument> {
    const want = (block: string) => member().neighbours.want(block, 'demand', signal);
    return decodeDocument(await loadObject(content.document, blocks, want, signal), content.id);
  }

  async function make(staged: Staged): Promise<void> {
    const { id, directory } = staged;
    for (;;) {
      try {
        await makeCheckpoint(parts, member(), staged, await earlierMemory(staged), stopping.signal);
        await staging.remove(directory);
        log.info({ checkpoint: id }, 'a checkpoint was made');
        return;
      } catch (error) {
        if (stopping.signal.aborted) return;
        log.error({ err: error, checkpoint: id, directory }, 'a checkpoint could not be made; tried again');
      }
      await pause(AGAIN_MS, stopping.signal);
    }
  }

  function begin(staged: Staged): void {
    const done = make(staged)
      .catch((error: unknown) => log.error({ err: error }, 'making a checkpoint ended'))
      .finally(() => making.delete(staged.id));
    making.set(staged.id, done);
  }

  /** All that a restore takes, if this node is lost: the image's layers, too, as far as the cluster knows them. */
  async function neededBy(held: Held<'checkpoint'>, signal: AbortSignal): Promise<Root[]> {
    const { memory, volumes: writable } = held.content;
    const { made } = await documentOf(held, signal);
    const layers = (made?.chainIds ?? []).flatMap((id) => member().directory.layersByChainId(id).slice(0, 1));
    return [memory, ...writable, ...layers.map(({ content }) => content.root)];
  }

  const layersOf = async (held: Held<'checkpoint'>, signal: AbortSignal) =>
    (await documentOf(held, signal)).made?.chainIds ?? [];

  async function layers(except?: string): Promise<ReadonlySet<ChainId>> {
    const found = new Set<ChainId>();
    for (const held of list()) {
      if (held.content.id === except) continue;
      const chainIds = await layersOf(held, AbortSignal.timeout(EARLIER_MAX_MS)).catch(() => {
        throw new RefusedError(
          'state',
          `what checkpoint ${held.content.id} needs cannot be had now; try again`,
        );
      });
      for (const chainId of chainIds) found.add(chainId);
    }
    return found;
  }

  /** Those that only the checkpoint has kept, since its image was removed. */
  async function layersFreedWith(held: Held<'checkpoint'>): Promise<ChainId[]> {
    const { directory } = member();
    if (held.content.image === '' || directory.refs(canonicalName(held.content.image)).length > 0) return [];
    try {
      const own = await layersOf(held, AbortSignal.timeout(EARLIER_MAX_MS));
      const others = await layers(held.content.id);
      return own.filter((chainId) => !others.has(chainId) && !directory.isNamed(chainId));
    } catch {
      return []; // they stay: nothing is lost by that but room
    }
  }

  const areKept = async (roots: readonly Root[]) => {
    for (const root of roots) {
      if (!(await isKept(member(), volumes, root).catch(() => false))) return false;
    }
    return true;
  };

  return {
    async stage(container, bytes, wished) {
      if (wished !== undefined && !isCheckpointId(wished))
        throw new RefusedError('invalid', 'a checkpoint is named by 1 to 64 of a-z, 0-9, dot and dash');
      if (wished !== undefined && (newest(wished) || making.has(wished)))
        throw new RefusedError('invalid', `there is a checkpoint ${wished} already`);
      member();
      return staging.make(container, bytes, wished);
    },
    abandon: (directory) => staging.remove(directory),
    async take(staged) {
      await staging.take(staged);
      begin(staged);
    },
    async resume() {
      for (const staged of await staging.leftovers()) begin(staged);
    },
    list,
    async made(id, signal) {
      await Promise.race([making.get(id), aborted(signal, making)]);
      signal.throwIfAborted();
    },
    async find(id, signal) {
      await making.get(id);
      for (;;) {
        const held = newest(id);
        if (held) return held;
        if (signal.aborted)
          throw new RefusedError('absent', `no node of the cluster has told of a checkpoint ${id}`);
        await pause(LOOK_EVERY_MS, signal);
      }
    },
    document: documentOf,
    async keepWorkingSet(id, order) {
      if (order.length === 0 || !lacksWorkingSet(id)) return;
      const bytes = encodeWorkingSet(order);
      const descriptor = { digest: digestOf(bytes), mediaType: WORKING_SET_MEDIA_TYPE };
      await parts.gate.shared(async () => {
        const workingSet = await storeObject(blocks, descriptor, bytes);
        await blocks.sync();
        // It may have been removed meanwhile, and must not come back.
        const held = lacksWorkingSet(id);
        if (held)
          await member().directory.publish('checkpoint', { ...held.content, workingSet, repeats: held.id });
      });
      log.info({ checkpoint: id, blocks: order.length }, 'what a restored container touched first is known');
    },
    async *settle(id, signal) {
      yield 'making';
      await making.get(id);
      const held = newest(id);
      if (!held) throw new RefusedError('absent', `there is no checkpoint ${id}`);
      yield 'replicating';
      const { members, replicas } = member().custody.owners();
      if (members.length < replicas) yield 'few';
      const needed = await neededBy(held, signal);
      while (!(await areKept(needed))) {
        signal.throwIfAborted();
        await pause(ASK_EVERY_MS, signal);
      }
      yield 'kept';
    },
    async remove(id) {
      await making.get(id);
      const { directory } = member();
      const said = directory.checkpoint(id);
      // Where the network is split, a node of the other side may be saying it again with a working set.
      const recordIds = [...new Set(said.flatMap(saidBy))];
      if (recordIds.length === 0) throw new RefusedError('absent', `there is no checkpoint ${id}`);
      const freed = await layersFreedWith(said[0]!);
      await directory.publish('removal', { image: '', chainIds: freed, recordIds });
    },
    layers,
    async stop() {
      stopping.abort();
      await Promise.all(making.values());
    },
  };
}

/** Resolves after the time, or on abort. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener('abort', () => resolve(), { once: true });
  return promise.finally(() => clearTimeout(timer));
}
