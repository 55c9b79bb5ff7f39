/** Checkpoints in memory, for tests of the admin service and of the commands in front of it. */
import { RefusedError } from '../control.ts';
import type { CheckpointControl, CheckpointStatus } from './control.ts';
import type { CheckpointDocument } from './document.ts';

export const someCheckpoint: CheckpointStatus = {
  id: 'web-20260101-120000-3fa9',
  image: 'registry.example/web:2',
  node: 'n1',
  createdMs: 1_767_268_800_000,
  namespace: 'default',
  container: 'web',
  parent: undefined,
  memory: 'ab'.repeat(32),
  volumes: ['cd'.repeat(32)],
  memoryBytes: 300_000_000,
  filesBytes: 4_000_000,
  frozenMs: 412.5,
  hasWorkingSet: false,
  hereBytes: 150_000_000,
  totalBytes: 304_000_000,
};

export const someDocument: CheckpointDocument = {
  format: 1,
  id: someCheckpoint.id,
  node: 'n1',
  createdMs: someCheckpoint.createdMs,
  container: { namespace: 'default', id: 'web' },
  wasLeftRunning: true,
  frozenMs: 412.5,
  memoryBytes: 300_000_000,
  filesBytes: 4_000_000,
};

/** One checkpoint, which restores at once everywhere but on a node `broken`, and is killed there. */
export function checkpointTwin(): CheckpointControl {
  const all = new Map([[someCheckpoint.id, someCheckpoint]]);
  const named = (id: string) => {
    const status = all.get(id);
    if (!status) throw new RefusedError('absent', `there is no checkpoint ${id}`);
    return status;
  };
  return {
    checkpoints: async () => [...all.values()],
    inspectCheckpoint: async (id) => ({ status: named(id), document: someDocument }),
    async removeCheckpoint(id) {
      all.delete(named(id).id);
    },
    async *settleCheckpoint(id) {
      named(id);
      yield 'making';
      yield 'replicating';
      yield 'kept';
    },
    async *exportCheckpoint(id) {
      yield { id: named(id).id, doneBytes: 100, totalBytes: 400 };
      yield { id, doneBytes: 400, totalBytes: 400 };
    },
    async *importCheckpoint(file) {
      if (!file.endsWith('.tar')) throw new RefusedError('invalid', 'it is no archive of a checkpoint');
      yield { id: '', doneBytes: 0, totalBytes: 400 };
      yield { id: 'imported', doneBytes: 400, totalBytes: 400 };
    },
    async *restore({ checkpoint }, node) {
      named(checkpoint);
      const progress = {
        text: '',
        running: false,
        complete: false,
        failed: undefined,
        sharedBytes: 0,
        fellBack: false,
      };
      yield { ...progress, text: 'looking', hereBytes: 0, totalBytes: 0 };
      if (node === 'broken') {
        yield { ...progress, failed: 'no layer', hereBytes: 0, totalBytes: 0 };
        return;
      }
      yield { ...progress, running: true, hereBytes: 1000, totalBytes: 4000 };
      yield { ...progress, running: true, complete: true, hereBytes: 4000, totalBytes: 4000 };
    },
  };
}
