/** What this node does with images once it is a member: tells which it has, answers for the registry, and lets blobs go. */
import type { Logger } from 'pino';
import type { BlockId, BlockStore, Root, VolumeStore } from '../blocks/types.ts';
import { asksFor } from '../peers/placement/custody.ts';
import { checkPinAnswers, type PinRequest } from '../peers/placement/messages.ts';
import { startBlobDropper } from './blob-dropper.ts';
import type { Containerd } from './containerd/containerd.ts';
import { createImageRefs } from './image-refs.ts';
import type { ClusterMember } from './member.ts';
import { startMirror } from './mirror.ts';
import { createDigestLookup } from './mirror-digests.ts';
import type { LayerRecords } from './records.ts';

export interface Images {
  /** Layers have come or gone: containerd may have other images now. */
  look(): void;
  stop(): Promise<void>;
}

interface Parts {
  member: ClusterMember;
  containerd: Containerd;
  blocks: BlockStore;
  volumes: VolumeStore;
  records: LayerRecords;
  /** `host:port` of the mirror. */
  listen: string;
  dropBlobs: boolean;
  log: Logger;
}

export async function startImages(parts: Parts): Promise<Images> {
  const { member, containerd, blocks, volumes, records, log } = parts;
  const { directory, neighbours } = member;
  const refs = createImageRefs({ containerd, blocks, directory, records, log });
  const digests = createDigestLookup(directory);
  const mirror = await startMirror(parts.listen, {
    refs: (image) => directory.refs(image),
    digests,
    blocks,
    want: (id, priority, signal) => neighbours.want(id, priority, signal),
    log,
  });
  const dropper = parts.dropBlobs
    ? startBlobDropper({ containerd, records, isPlaced: (root) => isPlaced(member, volumes, root), log })
    : undefined;
  return {
    look: () => refs.look(),
    async stop() {
      digests.close();
      await Promise.all([refs.stop(), mirror.stop(), dropper?.stop()]);
    },
  };
}

/** Every owner of every block has promised to keep it, and there are other nodes to lean on. Rejects when one cannot be asked. */
async function isPlaced({ name, custody, neighbours }: ClusterMember, volumes: VolumeStore, root: Root) {
  const index = await volumes.get(root);
  const owners = custody.owners();
  if (index === undefined || owners.members.length < Math.max(2, owners.replicas)) return false;
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
