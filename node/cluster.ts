/** What a person may see of the cluster and ask of this node (`NodeControl`): thin, over the parts that know. */
import type { BlockStore, ChainId, Root, VolumeStore } from '../blocks/types.ts';
import { RecordError } from '../peers/directory/refusal.ts';
import { settle, type TrustPolicy } from '../peers/directory/trust.ts';
import type { Held } from '../peers/directory/types.ts';
import { SHARDS } from '../peers/placement/shards.ts';
import { blocksOfAll } from './blocks-here.ts';
import type { Collector } from './collector.ts';
import { type Collected, type NodeControl, type PeerStatus, RefusedError } from './control.ts';
import { giveAway } from './drain.ts';
import { canonicalName, type ListedImage, listImages } from './image-list.ts';
import type { InUse } from './in-use.ts';
import type { CacheLimits } from './limits.ts';
import type { Marks } from './marks.ts';
import type { ClusterMember } from './member.ts';
import { prefetchVolumes } from './prefetch.ts';
import type { VerifyLayer } from './verify.ts';

/** How long nodes that still have a removed image may take to say so. */
const OBJECTIONS_MS = 6000;

export interface ClusterParts {
  member: () => ClusterMember | undefined;
  trust: TrustPolicy;
  blocks: BlockStore;
  volumes: VolumeStore;
  collector: Collector;
  inUse: InUse;
  limits: CacheLimits;
  marks: Marks;
  /** Layers that checkpoints need. */
  checkpointLayers: () => Promise<ReadonlySet<ChainId>>;
  verify: VerifyLayer;
  /** Resolves after `ms`. */
  sleep: (ms: number) => Promise<unknown>;
}

export function createControl(parts: ClusterParts): NodeControl {
  const { trust, blocks, volumes, collector, inUse, limits, marks, sleep } = parts;

  function member(): ClusterMember {
    const joined = parts.member();
    if (joined) return joined;
    throw new RefusedError('state', 'this node is in no cluster: it has no valid certificate, see its log');
  }

  /** The volumes of these layers, as far as the cluster has them. */
  function rootsOf(chainIds: readonly ChainId[]): Root[] {
    const { directory } = member();
    return chainIds.flatMap((chainId) => {
      const verdict = settle(directory.layersByChainId(chainId), trust);
      return verdict.believed ? [verdict.record.content.root] : [];
    });
  }

  function imagesKnown(): ListedImage[] {
    const refs = [...member().directory.counting()].filter((held) => held.kind === 'ref');
    return listImages(refs as Held<'ref'>[]);
  }

  function imageKnown(name: string): ListedImage | undefined {
    return listImages(member().directory.refs(name))[0];
  }

  function imageNamed(typed: string): ListedImage {
    const name = canonicalName(typed);
    const image = imageKnown(name);
    if (image) return image;
    const near = imagesKnown()
      .map((candidate) => candidate.name)
      .filter((candidate) => candidate.includes(typed));
    const hint = near.length > 0 ? `; there is ${near.slice(0, 5).join(', ')}` : '';
    throw new RefusedError('absent', `no node of the cluster has pulled ${name}${hint}`);
  }

  async function collect(): Promise<Collected> {
    const before = blocks.stats();
    const joined = parts.member();
    if (joined) await limits.tight(async () => await untilDone(() => joined.custody.custodian.pass()));
    await collector.sweep();
    const after = blocks.stats();
    return {
      blocks: Math.max(0, before.count - after.count),
      bytes: Math.max(0, before.bytes - after.bytes),
      leftBlocks: after.count,
      leftBytes: after.bytes,
    };
  }

  return {
    peers: () => peersOf(member()),

    async images() {
      return Promise.all(
        imagesKnown().map(async ({ chainIds, ...image }) => {
          const roots = rootsOf(chainIds);
          const { bytes, bytesHere } = await blocksOfAll(roots, volumes, blocks);
          return { ...image, layers: chainIds.length, volumes: roots.length, blockBytes: bytes, bytesHere };
        }),
      );
    },

    async removeImage(typed) {
      const { directory } = member();
      const { name, chainIds } = imageNamed(typed);
      const removals = await directory.removeImage(name, await parts.checkpointLayers());
      const layersFreed = new Set(removals.flatMap(({ content }) => content.chainIds)).size;
      await sleep(OBJECTIONS_MS);
      const left = imageKnown(name);
      const stillUsedBy = left ? [...left.nodes, ...left.outdated].sort() : [];
      return { name, layersFreed, layersShared: new Set(chainIds).size - layersFreed, stillUsedBy };
    },

    collect,

    async *drain(signal) {
      const joined = member();
      const { members, replicas } = joined.custody.owners();
      const others = members.filter(({ name }) => name !== joined.name).length;
      if (others < replicas) {
        const there = others === 1 ? 'is 1 other node' : `are ${others} other nodes`;
        throw new RefusedError(
          'state',
          `every block is kept on ${replicas} nodes, and there ${there} to keep what this one gives away`,
        );
      }
      if (!marks.has('draining')) await marks.set('draining', true);
      joined.capacityChanged();
      yield* giveAway({ ...joined.custody, inUse, blocks, volumes, signal, sleep });
    },

    async undrain() {
      await marks.set('draining', false);
      member().capacityChanged();
    },

    async *prefetch(image, signal) {
      const { neighbours } = member();
      const { chainIds } = imageNamed(image);
      const roots = rootsOf(chainIds);
      if (roots.length < chainIds.length) {
        const missing = chainIds.length - roots.length;
        throw new RefusedError('state', `${missing} of the ${chainIds.length} layers are no volumes yet`);
      }
      yield* prefetchVolumes({ roots, neighbours, blocks, signal });
      await blocks.sync();
    },

    async revoke(record) {
      const { directory } = member();
      try {
        await directory.put(record);
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        throw new RefusedError('invalid', `the record is not taken: ${error.message}`);
      }
    },

    async verify(layer, file, signal) {
      return parts.verify(member().directory, layer, file, signal);
    },
  };
}

/** Passes until one achieves nothing; what cannot be had now is left for later. */
async function untilDone(pass: () => Promise<boolean>): Promise<void> {
  const MAX_PASSES = 1000;
  for (let i = 0; i < MAX_PASSES && (await pass()); i++);
}

function peersOf({ name, service, membership, neighbours, custody }: ClusterMember): PeerStatus[] {
  const owners = custody.owners();
  const links = new Map(neighbours.peers().map((peer) => [peer.name, peer]));
  const capacities = new Map(owners.members.map((owner) => [owner.name, owner.capacityBytes]));
  const ownedShare = (node: string) => owners.ownedBy(node).reduce((sum, owned) => sum + owned, 0) / SHARDS;
  const self: PeerStatus = {
    name,
    address: service,
    state: 'self',
    draining: !capacities.has(name),
    link: 'up',
    rttMs: undefined,
    bytesPerSecond: undefined,
    capacityBytes: capacities.get(name) ?? 0,
    ownedShare: ownedShare(name),
  };
  const others = membership.members().map(
    (other): PeerStatus => ({
      name: other.name,
      address: other.service,
      state: other.state.kind,
      draining: other.capacityBytes === 0,
      link: links.get(other.name)?.state ?? 'unknown',
      rttMs: links.get(other.name)?.rttMs,
      bytesPerSecond: links.get(other.name)?.bytesPerSecond,
      capacityBytes: other.capacityBytes,
      ownedShare: ownedShare(other.name),
    }),
  );
  return [self, ...others];
}
