/** Whether the cluster keeps a volume without this node: asked of all owners, now. */
import type { BlockId, Root, VolumeStore } from '../blocks/types.ts';
import { checkPinAnswers, MAX_PIN_IDS, type PinRequest } from '../peers/placement/messages.ts';
import { shardOf } from '../peers/placement/shards.ts';
import type { ClusterMember } from './member.ts';

type Asking = Pick<ClusterMember, 'name' | 'custody' | 'neighbours'>;

/** Every owner of every block has promised to keep it, and there are other nodes to lean on. Rejects when one cannot be asked. */
export async function isPlaced(member: Asking, volumes: VolumeStore, root: Root): Promise<boolean> {
  const { members, replicas } = member.custody.owners();
  return members.length >= Math.max(2, replicas) && isKept(member, volumes, root);
}

/**
 * The same in a cluster of any size: every owner that there is. Looked at again and again while a checkpoint is placed, so it stops at the first that is
 * missing, and holds no more than a question an owner.
 */
export async function isKept(member: Asking, volumes: VolumeStore, root: Root): Promise<boolean> {
  const index = await volumes.get(root);
  if (index === undefined) return false;
  const owners = member.custody.owners();
  const questions = new Map<string, Set<BlockId>>();
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    for (const owner of owners.of(shardOf(id))) {
      const ids = questions.get(owner) ?? new Set();
      questions.set(owner, ids.add(id));
      if (ids.size < MAX_PIN_IDS) continue;
      questions.delete(owner);
      if (!(await keeps(member, owner, { roots: [root], ids: [...ids] }))) return false;
    }
  }
  for (const [owner, ids] of questions) {
    if (!(await keeps(member, owner, { roots: [root], ids: [...ids] }))) return false;
  }
  return true;
}

async function keeps(
  { name, custody, neighbours }: Pick<ClusterMember, 'name' | 'custody' | 'neighbours'>,
  owner: string,
  request: PinRequest,
): Promise<boolean> {
  if (owner === name) return request.ids.every((id) => custody.custodian.isPinned(id));
  const answers = await neighbours.pin(owner, request);
  checkPinAnswers(request, answers);
  return answers.every((answer) => answer === 'kept');
}
