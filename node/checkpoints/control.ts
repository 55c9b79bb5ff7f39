/** What a person may see of checkpoints and ask of this node about them, as plain data. */
import type { BlockStore, Root, VolumeStore } from '../../blocks/types.ts';
import type { Held } from '../../peers/directory/types.ts';
import { isContainerName } from '../../peers/exchange/restore-wire.ts';
import type { RestoreHere, RestoreOrder, RestoreProgress } from '../../peers/types.ts';
import { blocksOfAll } from '../blocks-here.ts';
import { RefusedError } from '../control.ts';
import type { Gate } from '../gate.ts';
import type { ClusterMember } from '../member.ts';
import type { CheckpointStage, Checkpoints } from './checkpoints.ts';
import type { CheckpointDocument } from './document.ts';
import { createCheckpointFiles } from './files.ts';
import { BEGINNING } from './restoring.ts';

export interface CheckpointStatus {
  id: string;
  image: string;
  /** Where it was made. */
  node: string;
  createdMs: number;
  namespace: string;
  container: string;
  parent: string | undefined;
  memory: Root;
  /** Writable volumes, lowest first. */
  volumes: readonly Root[];
  memoryBytes: number;
  filesBytes: number;
  frozenMs: number;
  hasWorkingSet: boolean;
  /** Of the distinct blocks of all its volumes, as far as their indexes are here. */
  hereBytes: number;
  totalBytes: number;
}

/** How far an export or import is. */
export interface FileProgress {
  /** '' until it is known. */
  id: string;
  doneBytes: number;
  /** 0: not known. */
  totalBytes: number;
}

/** All throw RefusedError where a person has asked for what cannot be. */
export interface CheckpointControl {
  checkpoints(): Promise<CheckpointStatus[]>;
  inspectCheckpoint(id: string): Promise<{ status: CheckpointStatus; document: CheckpointDocument }>;
  removeCheckpoint(id: string): Promise<void>;
  settleCheckpoint(id: string, signal: AbortSignal): AsyncIterable<CheckpointStage>;
  /** To a file that must not exist, from one that must. */
  exportCheckpoint(id: string, file: string, signal: AbortSignal): AsyncIterable<FileProgress>;
  importCheckpoint(file: string, signal: AbortSignal): AsyncIterable<FileProgress>;
  /** On the node of that name; '' is this one. */
  restore(order: RestoreOrder, node: string, signal: AbortSignal): AsyncIterable<RestoreProgress>;
}

interface Parts {
  checkpoints: Checkpoints;
  restoreHere: RestoreHere;
  member: () => ClusterMember | undefined;
  blocks: BlockStore;
  volumes: VolumeStore;
  gate: Gate;
}

/** A document that is not here is fetched; nobody waits longer for a list. */
const DOCUMENT_MAX_MS = 5000;

export function createCheckpointControl(parts: Parts): CheckpointControl {
  const { checkpoints, restoreHere, member, blocks, volumes } = parts;
  const files = createCheckpointFiles(parts);

  async function statusOf(held: Held<'checkpoint'>, document: CheckpointDocument): Promise<CheckpointStatus> {
    const { id, image, memory, volumes: writable, workingSet } = held.content;
    const { bytes, bytesHere } = await blocksOfAll([memory, ...writable], volumes, blocks);
    return {
      id,
      image,
      node: document.node,
      createdMs: document.createdMs,
      namespace: document.container.namespace,
      container: document.container.id,
      parent: document.parent,
      memory,
      volumes: writable,
      memoryBytes: document.memoryBytes,
      filesBytes: document.filesBytes,
      frozenMs: document.frozenMs,
      hasWorkingSet: workingSet !== undefined,
      hereBytes: bytesHere,
      totalBytes: bytes,
    };
  }

  const documentOf = (held: Held<'checkpoint'>) =>
    checkpoints.document(held, AbortSignal.timeout(DOCUMENT_MAX_MS));

  return {
    async checkpoints() {
      return Promise.all(checkpoints.list().map(async (held) => statusOf(held, await documentOf(held))));
    },
    async inspectCheckpoint(id) {
      const held = await checkpoints.find(id, AbortSignal.timeout(0));
      const document = await documentOf(held);
      return { status: await statusOf(held, document), document };
    },
    removeCheckpoint: (id) => checkpoints.remove(id),
    exportCheckpoint: files.exportTo,
    importCheckpoint: files.importFrom,
    settleCheckpoint: (id, signal) => checkpoints.settle(id, signal),
    async *restore(order, node, signal) {
      for (const name of [order.namespace, order.container])
        if (!isContainerName(name))
          throw new RefusedError('invalid', `${JSON.stringify(name)} is no name that containerd takes`);
      const self = member();
      if (node === '' || node === self?.name) {
        yield* restoreHere(order, signal);
        return;
      }
      if (!self?.neighbours.peers().some(({ name, state }) => name === node && state === 'up'))
        throw new RefusedError(
          'absent',
          `no node ${node} of the cluster answers; \`forage peers\` lists them`,
        );
      // It would wait for a checkpoint that nobody has told it of, and not for long.
      yield { ...BEGINNING, text: `waiting until checkpoint ${order.checkpoint} is made` };
      await checkpoints.made(order.checkpoint, signal);
      yield* self.neighbours.restore(node, order, signal);
    },
  };
}
