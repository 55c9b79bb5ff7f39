/**
 * From a staged dump to a checkpoint that the cluster has.
 *
 * Order of effects: both volumes (blocks, sync, index), the document's blocks, sync, the signed record, then the staging folder goes. Killed
 * anywhere, the folder is there still, and all of it is done again: the same bytes make the same blocks.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { digestOf } from '../../blocks/digest.ts';
import { type CheckpointChildJob, runCheckpointIngest } from '../../blocks/ingest-child.ts';
import type { DiskBlockStore } from '../../blocks/store.ts';
import type { Root } from '../../blocks/types.ts';
import type { Checkpoint, Held } from '../../peers/directory/types.ts';
import type { ErofsMounts } from '../erofs-mounts.ts';
import type { Gate } from '../gate.ts';
import { storeObject } from '../image-refs-object.ts';
import type { ClusterMember } from '../member.ts';
import type { LayerRecords } from '../records.ts';
import { DOCUMENT_MEDIA_TYPE, encodeDocument } from './document.ts';
import type { Staged } from './staging.ts';

export interface MakeParts
  extends Pick<CheckpointChildJob, 'blocksDir' | 'volumesDir' | 'tempDir' | 'pageNamesDir' | 'compression'> {
  blocks: DiskBlockStore;
  gate: Gate;
  mounts: Pick<ErofsMounts, 'ensure'>;
  records: Pick<LayerRecords, 'get'>;
  log: Logger;
}

/** More writable volumes than these become one: each move adds one, and each is a lower layer that every lookup goes through. */
const VOLUMES_MAX = 8;

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
    const [memory, volumes] = await both(
      makeVolume(parts, { of: 'memory', id, directory: join(directory, 'images'), base }, signal),
      hasFiles ? writableVolumes(parts, staged, signal) : below,
    );
    const bytes = encodeDocument(document);
    const descriptor = { digest: digestOf(bytes), mediaType: DOCUMENT_MEDIA_TYPE };
    const stored = await storeObject(blocks, descriptor, bytes);
    await blocks.sync();
    const content: Checkpoint = {
      id,
      image: document.made?.image ?? '',
      document: stored,
      volumes,
      memory,
      workingSet: undefined,
      repeats: undefined,
    };
    return member.directory.publish('checkpoint', content);
  });
}

/** Neither goes on when this has rejected: nothing may be stored outside of the gate. */
async function both<A, B>(a: Promise<A>, b: B | Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

/** As volumes, lowest first. Throws where one is none. */
function imageLayers({ records }: MakeParts, { document }: Staged): Root[] {
  if (!document.made) throw new Error('of its image nothing is known');
  return document.made.chainIds.map((chainId) => {
    const record = records.get(chainId);
    if (!record) throw new Error(`layer ${chainId} of its image is no volume here`);
    return record.root;
  });
}

/** Lowest first. */
async function writableVolumes(
  parts: MakeParts,
  staged: Staged,
  signal: AbortSignal,
): Promise<readonly Root[]> {
  const { id, directory, below } = staged;
  const job = { of: 'files', id, directory: join(directory, 'files') } as const;
  if (below.length >= VOLUMES_MAX) {
    try {
      const mounted = (roots: readonly Root[]) =>
        Promise.all(roots.toReversed().map((root) => parts.mounts.ensure(root)));
      const joins = { volumes: await mounted(below), layers: await mounted(imageLayers(parts, staged)) };
      return [await makeVolume(parts, { ...job, joins }, signal)];
    } catch (err) {
      signal.throwIfAborted();
      parts.log.warn({ err, checkpoint: id }, 'its writable volumes cannot be joined, and stay as they are');
    }
  }
  return [...below, await makeVolume(parts, job, signal)];
}

async function makeVolume(
  { blocks, blocksDir, volumesDir, tempDir, pageNamesDir, compression }: MakeParts,
  folder: Pick<CheckpointChildJob, 'of' | 'id' | 'directory' | 'base' | 'joins'>,
  signal: AbortSignal,
): Promise<Root> {
  const job = { ...folder, blocksDir, volumesDir, tempDir, pageNamesDir, compression };
  const result = await runCheckpointIngest(job, { signal });
  blocks.note(result.newBlocks, result.newBytes);
  return result.root;
}
