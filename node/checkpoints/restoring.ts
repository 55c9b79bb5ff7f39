/** A checkpoint becomes a container of this node, and whoever asked for it is told until all of its memory and files are here. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BlockStore, Root, VolumeStore } from '../../blocks/types.ts';
import type { Neighbours, RestoreHere, RestoreOrder, RestoreProgress } from '../../peers/types.ts';
import { bytesBefore, bytesComing } from '../blocks-here.ts';
import { RefusedError } from '../control.ts';
import { prefetchVolumes } from '../prefetch.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { ContainerMaker } from './containers.ts';
import type { Restores } from './restores.ts';

const TELL_EVERY_MS = 200;
/** Of a large memory it is not looked every time how much is here: that must not cost what brings it. */
const LOOK_SHARE = 20;
/** And not while it begins to run. */
const LOOK_FIRST_MS = 1000;
/** How long others may take to tell of a checkpoint that a person has named. */
const HEARD_MAX_MS = 15_000;

export const BEGINNING: RestoreProgress = {
  text: '',
  running: false,
  complete: false,
  failed: undefined,
  hereBytes: 0,
  totalBytes: 0,
  sharedBytes: 0,
  fellBack: false,
};

interface Parts {
  checkpoints: Checkpoints;
  restores: Pick<Restores, 'ahead' | 'list'>;
  containers: ContainerMaker;
  neighbours: Pick<Neighbours, 'fetchVolume' | 'want'>;
  blocks: BlockStore;
  volumes: Pick<VolumeStore, 'get'>;
  log: Logger;
}

/** What a node says that is still starting. */
export async function* notYet(): AsyncGenerator<RestoreProgress> {
  yield { ...BEGINNING, failed: 'the node is still starting' };
}

export function createRestoring(parts: Parts): RestoreHere {
  const { checkpoints, restores, containers, neighbours, blocks, volumes, log } = parts;
  /** Those that do not run yet, by checkpoint and container: who follows one must not take it for one that has failed. */
  const beginning = new Map<string, RestoreProgress>();

  async function carryOut(order: RestoreOrder, progress: RestoreProgress, stop: AbortSignal): Promise<void> {
    const { checkpoint: id, namespace, container, whole, prepare, fallback } = order;
    const tell = (text: string) => {
      progress.text = text;
    };
    const held = await checkpoints.find(id, AbortSignal.any([stop, AbortSignal.timeout(HEARD_MAX_MS)]));
    const document = await checkpoints.document(held, stop);
    const as = { namespace, id: container, fallback };
    if (prepare) await containers.prepare(held.content, document, as, stop);
    if (whole || prepare) {
      tell('fetching its memory and files');
      const roots = [held.content.memory, ...held.content.volumes];
      const steps = prefetchVolumes({ roots, neighbours, blocks, signal: stop });
      for await (const { doneBytes, totalBytes } of steps) {
        progress.hereBytes = doneBytes;
        progress.totalBytes = totalBytes;
      }
    }
    if (prepare) return;
    const ahead = restores.ahead(held);
    try {
      await containers.make(held.content, document, as, { tell, layerIsHere: ahead.mount }, stop);
    } finally {
      await ahead.end();
    }
  }

  /** Until it runs, or is prepared, or has failed: the last one says so. */
  async function* begin(
    order: RestoreOrder,
    progress: RestoreProgress,
    signal: AbortSignal,
  ): AsyncGenerator<RestoreProgress> {
    const ending = new AbortController();
    const key = keyOf(order);
    beginning.set(key, progress);
    const done = carryOut(order, progress, AbortSignal.any([signal, ending.signal]))
      .then(
        () => 'done' as const,
        (error: Error) => error,
      )
      .finally(() => beginning.delete(key));
    try {
      let outcome: Awaited<typeof done> | undefined;
      while (!outcome) {
        outcome = await Promise.race([done, sleep(TELL_EVERY_MS, undefined)]);
        if (!outcome) yield { ...progress };
      }
      if (outcome instanceof Error) {
        if (!(outcome instanceof RefusedError))
          log.error({ err: outcome, checkpoint: order.checkpoint }, 'a restore failed');
        progress.failed = outcome.message;
      } else if (order.prepare) progress.complete = true;
      else progress.running = true;
      progress.text = 'running';
      yield { ...progress };
    } finally {
      if (!progress.running) ending.abort(new Error('who asked for the container is gone'));
    }
  }

  /** What it has written before is to come as well, or its source could not be lost. */
  async function filesFailed(writable: readonly Root[], signal: AbortSignal): Promise<string | undefined> {
    try {
      for await (const _ of prefetchVolumes({ roots: writable, neighbours, blocks, signal }));
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      return `it runs, but not all of its files can be had: ${(error as Error).message}`;
    }
  }

  async function* follow(
    order: RestoreOrder,
    progress: RestoreProgress,
    signal: AbortSignal,
  ): AsyncGenerator<RestoreProgress> {
    const { checkpoint: id, container } = order;
    const { content } = await checkpoints.find(
      id,
      AbortSignal.any([signal, AbortSignal.timeout(HEARD_MAX_MS)]),
    );
    let lookAgainMs = performance.now() + LOOK_FIRST_MS;
    let bytesHere: ReturnType<typeof bytesComing> | undefined;
    for (;;) {
      const early = beginning.get(keyOf(order));
      if (early) {
        yield { ...early };
        await sleep(TELL_EVERY_MS, undefined, { signal });
        continue;
      }
      const status = restores.list().find((one) => one.checkpoint === id && one.container === container);
      if (!status) {
        yield {
          ...progress,
          failed: `container ${container} is not being restored from checkpoint ${id} here`,
        };
        return;
      }
      const index = bytesHere ? undefined : await volumes.get(content.memory);
      if (index) {
        progress.totalBytes = index.sizeBytes;
        bytesHere = bytesComing(index, blocks);
      }
      if (bytesHere && performance.now() >= lookAgainMs) {
        const begunMs = performance.now();
        progress.hereBytes = await bytesHere();
        lookAgainMs = performance.now() + LOOK_SHARE * (performance.now() - begunMs);
      }
      progress.running ||= status.runningMs !== undefined;
      progress.failed = status.failed;
      const fallen = await status.fallen;
      if (fallen) {
        progress.fellBack = fallen.failed === undefined;
        progress.failed = fallen.failed && `${status.failed}; ${fallen.failed}`;
      } else if (status.completeMs !== undefined) {
        progress.failed = await filesFailed(content.volumes, signal);
        const memory = await volumes.get(content.memory);
        if (memory) {
          progress.hereBytes = memory.sizeBytes;
          progress.sharedBytes = await bytesBefore(memory, blocks, status.begunMs);
        }
      }
      progress.complete = progress.fellBack || status.completeMs !== undefined;
      yield { ...progress };
      if (progress.complete || progress.failed !== undefined) return;
      await sleep(TELL_EVERY_MS, undefined, { signal });
    }
  }

  return async function* restore(order, signal) {
    const progress = { ...BEGINNING, text: `looking for checkpoint ${order.checkpoint}` };
    if (!order.follow) {
      yield { ...progress };
      yield* begin(order, progress, signal);
    }
    if (order.follow || progress.running) yield* follow(order, progress, signal);
  };
}

function keyOf({ checkpoint, namespace, container }: RestoreOrder): string {
  return `${checkpoint} ${namespace} ${container}`;
}
