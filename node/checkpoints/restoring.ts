/** A checkpoint becomes a container of this node, and whoever asked for it is told until all of its memory is here. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { BlockStore, Root, VolumeStore } from '../../blocks/types.ts';
import type { Neighbours, RestoreHere, RestoreProgress } from '../../peers/types.ts';
import { blocksHere, bytesComing } from '../blocks-here.ts';
import { RefusedError } from '../control.ts';
import { prefetchVolumes } from '../prefetch.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { ContainerMaker } from './containers.ts';
import type { Restores } from './restores.ts';

const TELL_EVERY_MS = 200;
/** How long others may take to tell of a checkpoint that a person has named. */
const HEARD_MAX_MS = 15_000;

const BEGINNING: RestoreProgress = {
  text: '',
  running: false,
  complete: false,
  failed: undefined,
  hereBytes: 0,
  totalBytes: 0,
  sharedBytes: 0,
};

interface Parts {
  checkpoints: Checkpoints;
  restores: Restores;
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
  async function noteShared(memory: Root, progress: RestoreProgress): Promise<void> {
    const index = await neighbours.fetchVolume(memory).catch(() => undefined);
    if (index) progress.sharedBytes = blocksHere(index, blocks).bytes;
  }

  return async function* restore({ checkpoint: id, namespace, container, whole, prepare }, signal) {
    const progress = { ...BEGINNING, text: `looking for checkpoint ${id}` };
    yield { ...progress };
    const ending = new AbortController();
    const stop = AbortSignal.any([signal, ending.signal]);
    const tell = (text: string) => {
      progress.text = text;
    };
    const make = async () => {
      const held = await checkpoints.find(id, AbortSignal.any([stop, AbortSignal.timeout(HEARD_MAX_MS)]));
      const document = await checkpoints.document(held, stop);
      const as = { namespace, id: container };
      if (prepare) await containers.prepare(held.content, document, as, stop);
      else void noteShared(held.content.memory, progress);
      if (whole || prepare) {
        tell('fetching its memory and files');
        const roots = [held.content.memory, ...held.content.volumes];
        for await (const { doneBytes, totalBytes } of prefetchVolumes({
          roots,
          neighbours,
          blocks,
          signal: stop,
        })) {
          progress.hereBytes = doneBytes;
          progress.totalBytes = totalBytes;
        }
      }
      if (!prepare) await containers.make(held.content, document, as, tell, stop);
      return held.content.memory;
    };
    const made = make().then(
      (memory) => ({ memory }),
      (error: Error) => ({ error }),
    );
    try {
      let outcome: Awaited<typeof made> | undefined;
      while (!outcome) {
        outcome = await Promise.race([made, sleep(TELL_EVERY_MS, undefined)]);
        if (!outcome) yield { ...progress };
      }
      if ('error' in outcome) {
        if (!(outcome.error instanceof RefusedError))
          log.error({ err: outcome.error, checkpoint: id }, 'a restore failed');
        yield { ...progress, failed: outcome.error.message };
        return;
      }
      if (prepare) {
        yield { ...progress, complete: true };
        return;
      }
      const { memory } = outcome;
      tell('running');
      progress.running = true;
      const index = await volumes.get(memory);
      const bytesHere = index && bytesComing(index, blocks);
      for (;;) {
        if (index && bytesHere) {
          progress.totalBytes = index.sizeBytes;
          progress.hereBytes = bytesHere();
        }
        const status = restores.list().find((one) => one.checkpoint === id && one.container === container);
        progress.failed = status?.failed;
        progress.complete = status?.completeMs !== undefined || status === undefined;
        yield { ...progress };
        if (progress.complete || progress.failed !== undefined) return;
        await sleep(TELL_EVERY_MS, undefined, { signal });
      }
    } finally {
      if (!progress.running) ending.abort(new Error('who asked for the container is gone'));
    }
  };
}
