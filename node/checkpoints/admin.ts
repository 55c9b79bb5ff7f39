/** The admin service's calls about checkpoints: unpack, call one method, convert. */
import { isAbsolute } from 'node:path';
import { isCheckpointId } from '../../peers/directory/body.ts';
import { progressMessage } from '../../peers/exchange/restore-wire.ts';
import { type AdminService, admin } from '../../proto/admin.ts';
import { toInt64 } from '../../proto/int64.ts';
import type { Handlers } from '../../proto/serve.ts';
import { RefusedError } from '../control.ts';
import type { CheckpointControl, CheckpointStatus, FileProgress } from './control.ts';

const MAX_PATH_BYTES = 4096;

export function checkpointHandlers(control: CheckpointControl) {
  return {
    checkpoints: async () =>
      new admin.CheckpointsReply().setCheckpointsList((await control.checkpoints()).map(messageOf)),
    async inspectCheckpoint(request) {
      const { status, document } = await control.inspectCheckpoint(idIn(request));
      return new admin.InspectCheckpointReply()
        .setCheckpoint(messageOf(status))
        .setDocument(JSON.stringify(document));
    },
    async removeCheckpoint(request) {
      await control.removeCheckpoint(idIn(request));
      return new admin.RemoveCheckpointReply();
    },
    async *settleCheckpoint(request, { signal }) {
      for await (const stage of control.settleCheckpoint(idIn(request), signal))
        yield new admin.CheckpointStage().setStage(stage);
    },
    async *exportCheckpoint(request, { signal }) {
      const [id, file] = [checkpointId(request.getId()), fileName(request.getFile())];
      for await (const progress of told(() => control.exportCheckpoint(id, file, signal))) yield progress;
    },
    async *importCheckpoint(request, { signal }) {
      const file = fileName(request.getFile());
      for await (const progress of told(() => control.importCheckpoint(file, signal))) yield progress;
    },
    async *restore(request, { signal }) {
      const order = {
        checkpoint: checkpointId(request.getCheckpoint()),
        namespace: request.getNamespace(),
        container: request.getContainer(),
        whole: request.getWhole(),
        prepare: request.getPrepare(),
        fallback: request.getFallback() === '' ? '' : checkpointId(request.getFallback()),
        follow: request.getFollow(),
      };
      for await (const progress of control.restore(order, request.getNode(), signal))
        yield progressMessage(progress);
    },
  } satisfies Partial<Handlers<typeof AdminService>>;
}

/** What the file system says, the person is told: the file is his. */
async function* told(work: () => AsyncIterable<FileProgress>): AsyncGenerator<admin.CheckpointFileProgress> {
  try {
    for await (const { id, doneBytes, totalBytes } of work())
      yield new admin.CheckpointFileProgress()
        .setId(id)
        .setDoneBytes(toInt64(doneBytes))
        .setTotalBytes(toInt64(totalBytes));
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw new RefusedError('state', error.message);
    throw error;
  }
}

function fileName(path: string): string {
  if (isAbsolute(path) && Buffer.byteLength(path) < MAX_PATH_BYTES && !path.includes('\0')) return path;
  throw new RefusedError('invalid', `a file is named by its absolute path, below ${MAX_PATH_BYTES} bytes`);
}

function idIn(request: admin.CheckpointRequest): string {
  return checkpointId(request.getId());
}

function checkpointId(id: string): string {
  if (isCheckpointId(id)) return id;
  throw new RefusedError('invalid', "that is no checkpoint's id; `forage checkpoint ls` lists them");
}

function messageOf(from: CheckpointStatus): admin.Checkpoint {
  return new admin.Checkpoint()
    .setId(from.id)
    .setImage(from.image)
    .setNode(from.node)
    .setCreatedMs(toInt64(from.createdMs))
    .setNamespace(from.namespace)
    .setContainer(from.container)
    .setMemoryRoot(from.memory)
    .setVolumeRootsList([...from.volumes])
    .setMemoryBytes(toInt64(from.memoryBytes))
    .setFilesBytes(toInt64(from.filesBytes))
    .setFrozenMs(from.frozenMs)
    .setHereBytes(toInt64(from.hereBytes))
    .setTotalBytes(toInt64(from.totalBytes))
    .setParent(from.parent ?? '')
    .setHasWorkingSet(from.hasWorkingSet);
}
