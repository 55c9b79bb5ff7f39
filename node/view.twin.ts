/** A node's view with fixed contents, for tests of what shows it. */
import type { NodeStatus, NodeView, VolumeStatus } from './view.ts';

export const someStatus: NodeStatus = {
  node: 'n1',
  version: '0.1.0',
  peers: [
    { address: 'n2:7400', name: 'n2', state: 'up', rttMs: 1.25, bytesPerSecond: 80_000_000 },
    {
      address: '192.0.2.3:7400',
      name: 'n3',
      state: 'unknown',
      rttMs: undefined,
      bytesPerSecond: undefined,
    },
  ],
  volumes: 2,
  blocks: { count: 1234, bytes: 160_000_000 },
  fetchedBytes: 42_000_000,
  servedBytes: 7,
  demandReads: 99,
  waitingReads: 3,
  custody: { pinned: 500, fetched: 40, fetchedBytes: 4_000_000, dropped: 7, asked: 14 },
  ingest: { queued: 1, running: 1, done: 5, failed: 2 },
};

export const someVolumes: VolumeStatus[] = [
  {
    root: 'ab'.repeat(32),
    chainId: `sha256:${'cd'.repeat(32)}`,
    diffId: `sha256:${'ef'.repeat(32)}`,
    format: 'erofs-tar-lz4-1',
    sizeBytes: 10_000_000,
    blocks: 80,
    blocksHere: 20,
    bytesHere: 2_500_000,
    mounted: true,
    inUse: true,
  },
  {
    root: '12'.repeat(32),
    chainId: `sha256:${'34'.repeat(32)}`,
    diffId: `sha256:${'34'.repeat(32)}`,
    format: 'erofs-tar-lz4-1',
    sizeBytes: 4096,
    blocks: 1,
    blocksHere: 1,
    bytesHere: 4096,
    mounted: false,
    inUse: false,
  },
];

export function viewTwin(status = someStatus, volumes = someVolumes): NodeView {
  return { status: () => status, volumes: async () => volumes };
}
