/**
 * The manifests and configurations of the images that the cluster knows, and the documents of its checkpoints: some 20 KiB each, in blocks
 * that no volume names. They are on every node, so that any part of a split cluster can tell what an image or a checkpoint is made of.
 */
import { IdSet } from '../blocks/id-set.ts';
import type { BlockId, BlockStore } from '../blocks/types.ts';
import type { Directory } from '../peers/directory/directory.ts';
import type { Held, StoredObject } from '../peers/directory/types.ts';
import type { Log, Neighbours } from '../peers/types.ts';
import { objectsOf } from './image-refs-object.ts';

const RETRY_MS = 60_000;

export interface RefObjects {
  /** The block is part of one. */
  has(id: BlockId): boolean;
  stop(): void;
}

interface Parts {
  directory: Directory;
  blocks: BlockStore;
  neighbours: Pick<Neighbours, 'want'>;
  log: Log;
}

export function startRefObjects({ directory, blocks, neighbours, log }: Parts): RefObjects {
  const stopping = new AbortController();
  let ids = new IdSet();

  async function bring(id: BlockId): Promise<void> {
    try {
      await neighbours.want(id, 'prefetch', stopping.signal);
    } catch (error) {
      if (stopping.signal.aborted) return;
      log.warn({ block: id, err: error }, 'a manifest or document could not be had yet; tried again later');
      setTimeout(() => !stopping.signal.aborted && ids.has(id) && void bring(id), RETRY_MS).unref();
    }
  }

  function keep(held: Held): void {
    for (const id of objectsIn(held).flatMap(({ blocks }) => blocks)) {
      if (ids.has(id)) continue;
      ids.add(id);
      if (!blocks.has(id)) void bring(id);
    }
  }

  function keepAll(): void {
    ids = new IdSet();
    for (const held of directory.counting()) keep(held);
  }

  const stopListening = directory.onAdd((held) => {
    if (held.kind === 'removal' || held.kind === 'revocation') keepAll();
    else keep(held);
  });
  keepAll();
  return {
    has: (id) => ids.has(id),
    stop() {
      stopListening();
      stopping.abort();
    },
  };
}

function objectsIn({ kind, content }: Held): StoredObject[] {
  if (kind === 'ref') return objectsOf(content);
  if (kind !== 'checkpoint') return [];
  return content.workingSet === undefined ? [content.document] : [content.document, content.workingSet];
}
