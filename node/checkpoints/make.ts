/**
 * From a staged dump to a checkpoint that the cluster has.
 *
 * Order of effects: both volumes (blocks, sync, index), the document's blocks, sync, the signed record, then the staging folder goes. Killed
 * anywhere, the folder is there still, and all of it is done again: the same bytes make the same blocks.
 */
import { join } from 'node:path';
import { digestOf } from '../../blocks/digest.ts';
import { type CheckpointChildJob, runCheckpointIngest } from '../../blocks/ingest-child.ts';
import type { DiskBlockStore } from '../../blocks/store.ts';
import type { Root } from '../../blocks/types.ts';
import type { Checkpoint, Held } from '../../peers/directory/types.ts';
import type { Gate } from '../gate.ts';
import { storeObject } from '../image-refs-object.ts';
import type { ClusterMember } from '../member.ts';
import { DOCUMENT_MEDIA_TYPE, encodeDocument } from './document.ts';
import type { Staged } from './staging.ts';

export interface MakeParts
  extends Pick<CheckpointChildJob, 'blocksDir' | 'volumesDir' | 'tempDir' | 'pageNamesDir' | 'compression'> {
  blocks: DiskBlockStore;
  gate: Gate;
}

/** Resolves once the record is published. `base`: the memory volume of an earlier checkpoint of these processes, whose blocks are kept where they still do. */
export async function makeCheckpoint(
  parts: MakeParts,
  member: ClusterMember,
  staged: Staged,
  base: Root | undefined,
  signal: AbortSignal,
): Promise<Held<'checkpoint'>> {
  const { blocks, gate } = parts;
  const { id, directory, hasFiles, document, below } = staged;
  return gate.shared(async () => {
    const [memory, files] = await both(
      makeVolume(parts, { of: 'memory', id, directory: join(directory, 'images'), base }, signal),
      hasFiles
        ? makeVolume(parts, { of: 'files', id, directory: join(directory, 'files') }, signal)
        : Promise.resolve(undefined),
    );
    const bytes = encodeDocument(document);
    const descriptor = { digest: digestOf(bytes), mediaType: DOCUMENT_MEDIA_TYPE };
    const stored = await storeObject(blocks, descriptor, bytes);
    await blocks.sync();
    const content: Checkpoint = {
      id,
      image: document.made?.image ?? '',
      document: stored,
      volumes: files === undefined ? below : [...below, files],
      memory,
      workingSet: undefined,
      repeats: undefined,
    };
    return member.directory.publish('checkpoint', content);
  });
}

/** Neither goes on when this has rejected: nothing may be stored outside of the gate. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

async function makeVolume(
  { blocks, blocksDir, volumesDir, tempDir, pageNamesDir, compression }: MakeParts,
  folder: Pick<CheckpointChildJob, 'of' | 'id' | 'directory' | 'base'>,
  signal: AbortSignal,
): Promise<Root> {
  const job = { ...folder, blocksDir, volumesDir, tempDir, pageNamesDir, compression };
  const result = await runCheckpointIngest(job, { signal });
  blocks.note(result.newBlocks, result.newBytes);
  return result.root;
}
