/** Whether the cluster keeps a volume without this node: asked of all owners, now. */
import type { BlockId, Root, VolumeStore } from '../blocks/types.ts';
import { asksFor } from '../peers/placement/custody.ts';
import { checkPinAnswers, type PinRequest } from '../peers/placement/messages.ts';
import type { ClusterMember } from './member.ts';

/** Every owner of every block has promised to keep it, and there are other nodes to lean on. Rejects when one cannot be asked. */
export async function isPlaced(member: ClusterMember, volumes: VolumeStore, root: Root): Promise<boolean> {
  const { members, replicas } = member.custody.owners();
  return members.length >= Math.max(2, replicas) && isKept(member, volumes, root);
}

/** The same in a cluster of any size: every owner that there is. */
export async function isKept(
  { name, custody, neighbours }: ClusterMember,
  volumes: VolumeStore,
  root: Root,
): Promise<boolean> {
  const index = await volumes.get(root);
  if (index === undefined) return false;
  const owners = custody.owners();
  const ids = new Set<BlockId>();
  for (let i = 0; i < index.blockCount; i++) ids.add(index.blockId(i));
  const candidates = Array.from(ids, (id) => ({ id, roots: [root] }));
  for (const { owner, request } of asksFor(candidates, (shard) => owners.of(shard))) {
    const kept =
      owner === name
        ? request.ids.every((id) => custody.custodian.isPinned(id))
        : await keeps(neighbours, owner, request);
    if (!kept) return false;
  }
  return true;
}

async function keeps(
  neighbours: Pick<ClusterMember['neighbours'], 'pin'>,
  owner: string,
  request: PinRequest,
) {
  const answers = await neighbours.pin(owner, request);
  checkPinAnswers(request, answers);
  return answers.every((answer) => answer === 'kept');
}
