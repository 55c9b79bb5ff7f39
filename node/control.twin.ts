/** A cluster in memory that does what a person asks, for tests of the admin service and of the commands in front of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SignedRecord } from '../peers/directory/types.ts';
import type { CheckpointControl } from './checkpoints/control.ts';
import { checkpointTwin } from './checkpoints/control.twin.ts';
import {
  type ImageStatus,
  type NodeControl,
  type PeerStatus,
  type Progress,
  RefusedError,
  type VerifiedLayer,
} from './control.ts';

export const somePeers: PeerStatus[] = [
  {
    name: 'n2',
    address: '192.0.2.2:7400',
    state: 'alive',
    draining: true,
    link: 'up',
    rttMs: 1.25,
    bytesPerSecond: 80_000_000,
    capacityBytes: 64_000_000_000,
    ownedShare: 0,
  },
  {
    name: 'n3',
    address: '192.0.2.3:7400',
    state: 'gone',
    draining: false,
    link: 'unknown',
    rttMs: undefined,
    bytesPerSecond: undefined,
    capacityBytes: 32_000_000_000,
    ownedShare: 0.25,
  },
  {
    name: 'n1',
    address: '192.0.2.1:7400',
    state: 'self',
    draining: false,
    link: 'up',
    rttMs: undefined,
    bytesPerSecond: undefined,
    capacityBytes: 64_000_000_000,
    ownedShare: 0.75,
  },
];

export const someImages: ImageStatus[] = [
  {
    name: 'registry.example/web:2',
    digest: `sha256:${'ab'.repeat(32)}`,
    createdMs: 1_700_000_000_000,
    nodes: ['n1', 'n2'],
    layers: 3,
    volumes: 2,
    blockBytes: 40_000_000,
    bytesHere: 10_000_000,
  },
  {
    name: 'registry.example/app:1',
    digest: `sha256:${'cd'.repeat(32)}`,
    createdMs: 1_600_000_000_000,
    nodes: [],
    layers: 5,
    volumes: 5,
    blockBytes: 0,
    bytesHere: 0,
  },
];

export const someLayer: VerifiedLayer = {
  chainId: `sha256:${'12'.repeat(32)}`,
  diffId: `sha256:${'34'.repeat(32)}`,
  root: '56'.repeat(32),
  format: 'erofs-tar-lz4-1',
  derivedRoot: '56'.repeat(32),
  ingestedBy: ['n1', 'n2'],
  matches: true,
};

const BLOCK_BYTES = 100_000;
const STEPS = 4;
const BLOCKS_A_STEP = 25;

export interface ControlTwin extends NodeControl, CheckpointControl {
  members: PeerStatus[];
  draining: boolean;
  readonly revoked: SignedRecord[];
  /** The files that `verify` was given. */
  readonly verifiedFiles: (string | undefined)[];
}

/** Work that takes long has four steps, each of which takes `stepMs`. */
export function controlTwin({ members = somePeers, layer = someLayer, stepMs = 0 } = {}): ControlTwin {
  const images = new Map(someImages.map((image) => [image.name, image]));
  const imageOf = (name: string) => {
    const image = images.get(name);
    if (!image) throw new RefusedError('absent', `no node of the cluster has pulled ${name}`);
    return image;
  };
  return {
    ...checkpointTwin(),
    members,
    draining: false,
    revoked: [],
    verifiedFiles: [],
    peers() {
      return this.members;
    },
    images: async () => [...images.values()],
    async removeImage(name) {
      const { nodes, layers } = imageOf(name);
      images.delete(name);
      return { name, layersFreed: layers - 1, layersShared: 1, stillUsedBy: nodes };
    },
    collect: async () => ({ blocks: 12, bytes: 3_400_000, leftBlocks: 1234, leftBytes: 160_000_000 }),
    async *drain(signal) {
      if (this.members.length < 2)
        throw new RefusedError('state', 'there is no other node to give anything to');
      this.draining = true;
      yield* steps(stepMs, signal);
    },
    async undrain() {
      this.draining = false;
    },
    async *prefetch(name, signal) {
      imageOf(name);
      yield* steps(stepMs, signal);
    },
    async revoke(record) {
      this.revoked.push(record);
    },
    async verify(name, file, signal) {
      signal.throwIfAborted();
      if (name !== layer.chainId && name !== layer.diffId)
        throw new RefusedError('absent', `the cluster has no layer ${name}`);
      this.verifiedFiles.push(file);
      return layer;
    },
  };
}

async function* steps(stepMs: number, signal: AbortSignal): AsyncGenerator<Progress> {
  const totalBlocks = STEPS * BLOCKS_A_STEP;
  for (let step = 0; step <= STEPS; step++) {
    signal.throwIfAborted();
    const doneBlocks = step * BLOCKS_A_STEP;
    yield {
      doneBlocks,
      totalBlocks,
      doneBytes: doneBlocks * BLOCK_BYTES,
      totalBytes: totalBlocks * BLOCK_BYTES,
    };
    if (stepMs > 0) await sleep(stepMs, undefined, { signal });
  }
}
