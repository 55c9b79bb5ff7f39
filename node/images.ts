/** What this node does with images once it is a member: tells which it has, answers for the registry, and lets blobs go. */
import type { Logger } from 'pino';
import type { BlockStore, VolumeStore } from '../blocks/types.ts';
import { startBlobDropper } from './blob-dropper.ts';
import type { Containerd } from './containerd/containerd.ts';
import { createImageRefs } from './image-refs.ts';
import type { ClusterMember } from './member.ts';
import { startMirror } from './mirror.ts';
import { createDigestLookup } from './mirror-digests.ts';
import { isPlaced } from './placed.ts';
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
