/** What this node does with images once it is a member: tells which it has, answers for the registry, and lets blobs go. */
import type { Logger } from 'pino';
import type { BlockId, BlockStore, Root, VolumeStore } from '../blocks/types.ts';
import { shardOf } from '../peers/placement/shards.ts';
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
  const AT_ONCE = 256;
  const index = await volumes.get(root);
  const owners = custody.owners();
  if (index === undefined || owners.members.length < Math.max(2, owners.replicas)) return false;
  const byOwner = new Map<string, Set<BlockId>>();
  for (let i = 0; i < index.blockCount; i++) {
    const id = index.blockId(i);
    for (const owner of owners.of(shardOf(id))) byOwner.set(owner, (byOwner.get(owner) ?? new Set()).add(id));
  }
  for (const [owner, set] of byOwner) {
    const ids = [...set];
    if (owner === name) {
      if (!ids.every((id) => custody.custodian.isPinned(id))) return false;
      continue;
    }
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const answers = await neighbours.pin(owner, { roots: [root], ids: ids.slice(at, at + AT_ONCE) });
      if (!answers.every((answer) => answer === 'kept')) return false;
    }
  }
  return true;
}
