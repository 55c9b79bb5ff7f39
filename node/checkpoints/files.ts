/**
 * Checkpoints to and from files of this machine. A file appears under its name only when it is whole; what an import has brought counts only
 * when its record is published, and is swept otherwise.
 */
import { createReadStream } from 'node:fs';
import { link, open, rm, stat } from 'node:fs/promises';
import type { BlockStore, VolumeStore } from '../../blocks/types.ts';
import { blocksOfAll } from '../blocks-here.ts';
import { RefusedError } from '../control.ts';
import type { Gate } from '../gate.ts';
import { loadObject } from '../image-refs-object.ts';
import type { ClusterMember } from '../member.ts';
import { exportCheckpoint, importCheckpoint } from './archive.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { FileProgress } from './control.ts';

interface Parts {
  checkpoints: Checkpoints;
  member: () => ClusterMember | undefined;
  blocks: BlockStore;
  volumes: VolumeStore;
  gate: Gate;
}

const TELL_EVERY_BYTES = 4 << 20;
/** A checkpoint that was made a moment ago may not be known here yet. */
const HEARD_MAX_MS = 5000;

export function createCheckpointFiles({ checkpoints, member, blocks, volumes, gate }: Parts) {
  function joined(): ClusterMember {
    const self = member();
    if (self) return self;
    throw new RefusedError('state', 'this node is in no cluster: it has no valid certificate, see its log');
  }

  async function* exportTo(id: string, file: string, signal: AbortSignal): AsyncGenerator<FileProgress> {
    const { neighbours } = joined();
    const { content } = await checkpoints.find(
      id,
      AbortSignal.any([signal, AbortSignal.timeout(HEARD_MAX_MS)]),
    );
    const roots = [content.memory, ...content.volumes];
    for (const root of roots) await neighbours.fetchVolume(root);
    const totalBytes = (await blocksOfAll(roots, volumes, blocks)).bytes;
    const want = (block: string, root?: string) => neighbours.want(block, 'prefetch', signal, root);
    const document = await loadObject(content.document, blocks, want, signal);
    const archive = exportCheckpoint(content, document, { blocks, volumes }, want);
    const partial = `${file}.partial`;
    const out = await open(partial, 'wx', 0o600);
    try {
      let [doneBytes, toldBytes] = [0, 0];
      for await (const bytes of archive) {
        signal.throwIfAborted();
        await out.writeFile(bytes);
        doneBytes += bytes.length;
        if (doneBytes - toldBytes < TELL_EVERY_BYTES) continue;
        toldBytes = doneBytes;
        yield { id, doneBytes, totalBytes };
      }
      await out.sync();
      // Unlike a rename, it fails where the name is taken.
      await link(partial, file);
      yield { id, doneBytes, totalBytes: doneBytes };
    } finally {
      await out.close();
      await rm(partial, { force: true });
    }
  }

  async function* importFrom(file: string, signal: AbortSignal): AsyncGenerator<FileProgress> {
    const { directory } = joined();
    const { size: totalBytes } = await stat(file);
    const source = createReadStream(file, { highWaterMark: 1 << 20, signal });
    const isNew = (id: string) => directory.checkpoint(id).length === 0;
    // A block that is found here must still be there when the record is published.
    const imported = gate.shared(async () => {
      const content = await importCheckpoint(source, { blocks, volumes }, isNew);
      await directory.publish('checkpoint', content);
      return content.id;
    });
    yield { id: '', doneBytes: 0, totalBytes };
    yield { id: await imported, doneBytes: totalBytes, totalBytes };
  }

  return { exportTo, importFrom };
}
