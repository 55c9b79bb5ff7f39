/**
 * The contracts of the volume server: a file system of one flat folder with one read-only file a volume, named by its root.
 * `Transport` brings the kernel's requests (own protocol code on /dev/fuse, or fuse-native); `VolumeFiles` answers them.
 */
import type { BlockId, Root } from '../../blocks/types.ts';

/** Brings one block into the store. The only thing that the volume server asks of anybody. */
export interface Feeder {
  /** Resolves when the block file is there and verified; rejects when it cannot be had within the bound. */
  bring(root: Root, block: BlockId): Promise<void>;
}

export interface Transport {
  /** Serves until `stop` or until the kernel ends the connection. */
  start(): Promise<void>;
  stop(): Promise<void>;
}
