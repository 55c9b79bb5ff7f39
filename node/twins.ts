/** Twins in memory of what the node's parts work with, for their tests. */
import pino from 'pino';
import { blockIdOf } from '../blocks/block.ts';
import { MemoryBlockStore } from '../blocks/memory.ts';
import {
  type BlockId,
  type ChainId,
  type LayerRecord,
  PAGE_BYTES,
  type Root,
  type VolumeIndex,
  type VolumeStore,
} from '../blocks/types.ts';
import { decodeIndex, encodeIndex } from '../blocks/volume.ts';
import type { Neighbours, Priority } from '../peers/types.ts';
import type { ErofsMounts } from './erofs-mounts.ts';
import type { LayerRecords } from './records.ts';

export const silent = pino({ level: 'silent' });

export function memoryBlocks(): MemoryBlockStore {
  return new MemoryBlockStore(() => {});
}

export function memoryVolumes(): VolumeStore {
  const encodings = new Map<Root, Buffer>();
  return {
    has: (root) => encodings.has(root),
    async get(root) {
      const encoded = encodings.get(root);
      return encoded && decodeIndex(encoded);
    },
    encoded: async (root) => encodings.get(root),
    async put(root, encoded) {
      encodings.set(root, Buffer.from(encoded));
      return decodeIndex(encoded);
    },
    async remove(root) {
      encodings.delete(root);
    },
    roots: () => [...encodings.keys()],
  };
}

export function memoryRecords(): LayerRecords {
  const records = new Map<ChainId, LayerRecord>();
  return {
    get: (chainId) => records.get(chainId),
    async put(record) {
      records.set(record.chainId, record);
    },
    async remove(chainId) {
      records.delete(chainId);
    },
    all: () => records.values(),
    usesRoot: (root) => [...records.values()].some((record) => record.root === root),
  };
}

export function memoryMounts(): ErofsMounts {
  const mounted = new Set<Root>();
  return {
    async ensure(root) {
      mounted.add(root);
      return `/mounted/${root}`;
    },
    async remove(root) {
      mounted.delete(root);
    },
    mounted: () => mounted,
  };
}

/** A one-page block with this number in it. */
export function pageBlock(n: number): { id: BlockId; bytes: Buffer } {
  const bytes = Buffer.alloc(PAGE_BYTES);
  bytes.writeUInt32LE(n);
  return { id: blockIdOf(bytes), bytes };
}

/** A volume of one-page blocks with these numbers; the first is its metadata. */
export function pageVolume(numbers: readonly number[]): { index: VolumeIndex; encoded: Buffer; root: Root } {
  const encoded = encodeIndex(
    'test-1',
    numbers.map((n, i) => ({ id: pageBlock(n).id, sizeBytes: PAGE_BYTES, metadata: i === 0 })),
  );
  const index = decodeIndex(encoded);
  return { index, encoded, root: index.root };
}

export function layerRecord(chainId: ChainId, root: Root): LayerRecord {
  return { chainId, diffId: chainId, parent: '', root, format: 'test-1', origin: 'ingested' };
}

/** `sha256:` and 64 times this hex digit. */
export function digest(hexDigit: string): string {
  return `sha256:${hexDigit.repeat(64)}`;
}

export interface MemoryNeighbours extends Neighbours {
  readonly asked: { id: BlockId; priority: Priority }[];
  readonly layers: Map<ChainId, LayerRecord>;
  /** Answers wants; replace it to make them wait or fail. */
  serve: (id: BlockId) => Promise<void>;
}

/** Neighbours that have `layers`, and whose volumes are in `volumes` as soon as they are fetched. */
export function memoryNeighbours(fetch: (root: Root) => Promise<VolumeIndex>): MemoryNeighbours {
  const twin: MemoryNeighbours = {
    asked: [],
    layers: new Map(),
    serve: async () => {},
    findLayer: async (chainId) => twin.layers.get(chainId),
    fetchVolume: fetch,
    want(id, priority) {
      twin.asked.push({ id, priority });
      return twin.serve(id);
    },
  };
  return twin;
}
