/** Images as ingest would make them: the real index encoding over blocks that are names and lengths. */
import { hash } from 'node:crypto';
import type { BlockId, ChainId, Root } from '../../blocks/types.ts';
import { encodeIndex, rootOf } from '../../blocks/volume.ts';
import type { VolumeBlocks } from '../../peers/placement/custody.ts';
import type { Random } from './random.ts';

export interface SimBlock {
  id: BlockId;
  sizeBytes: number;
  metadata: boolean;
}

/** The volume of one layer. Unlike a decoded index it holds its names ready: all nodes of a world share it. */
export class SimVolume implements VolumeBlocks {
  readonly root: Root;
  readonly chainId: ChainId;
  readonly blocks: readonly SimBlock[];
  readonly blockCount: number;
  readonly sizeBytes: number;
  readonly #offsets: number[] = [0];

  constructor(blocks: readonly SimBlock[]) {
    this.root = rootOf(encodeIndex(FORMAT, blocks));
    this.chainId = `sha256:${hash('sha256', `layer of ${this.root}`, 'hex')}`;
    this.blocks = blocks;
    this.blockCount = blocks.length;
    for (const { sizeBytes } of blocks) this.#offsets.push(this.#offsets.at(-1)! + sizeBytes);
    this.sizeBytes = this.#offsets.at(-1)!;
  }

  blockId(i: number): BlockId {
    return this.blocks[i]!.id;
  }

  offset(i: number): number {
    return this.#offsets[i]!;
  }
}

export interface SimImage {
  name: string;
  volumes: readonly SimVolume[];
}

export const FORMAT = 'erofs-tar-lz4-1';
const PAGE_BYTES = 4096;
const MIN_BLOCK_PAGES = 8;
const MEAN_BLOCK_PAGES = 32;
const MAX_BLOCK_PAGES = 128;

/** 64 hex digits, all of them from chance. */
export function hexId(random: Random): string {
  let id = '';
  while (id.length < 64) {
    id += random
      .whole(0, 2 ** 32)
      .toString(16)
      .padStart(8, '0');
  }
  return id;
}

/** About that many bytes in blocks as the chunker cuts them (mean 128 KiB), behind those that are `shared`; the first new one is metadata. */
export function makeVolume(random: Random, sizeBytes: number, shared: readonly SimBlock[] = []): SimVolume {
  const blocks: SimBlock[] = [...shared];
  let left = Math.ceil(sizeBytes / PAGE_BYTES);
  for (let first = true; left > 0; first = false) {
    const wanted = MIN_BLOCK_PAGES + Math.floor(random.exponential(MEAN_BLOCK_PAGES - MIN_BLOCK_PAGES));
    const pages = Math.min(wanted, MAX_BLOCK_PAGES, left);
    blocks.push({ id: hexId(random), sizeBytes: pages * PAGE_BYTES, metadata: first });
    left -= pages;
  }
  return new SimVolume(blocks);
}

/** An image with a volume for each of these lengths; blocks of other volumes may come again in them, as files do. */
export function makeImage(
  random: Random,
  name: string,
  volumeBytes: readonly number[],
  known: readonly SimBlock[],
): SimImage {
  const volumes = volumeBytes.map((bytes) => {
    const again = random.chance(0.3) ? random.some(known, 2) : [];
    return makeVolume(
      random,
      bytes,
      again.map((block) => ({ ...block, metadata: false })),
    );
  });
  return { name, volumes };
}
