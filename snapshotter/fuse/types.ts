/**
 * The contracts of the volume server: a file system of one flat folder with one read-only file a volume, named by its
 * root. A `Transport` brings the kernel's requests (our own protocol code on /dev/fuse, or fuse-native), `VolumeFiles`
 * answers them from the blocks on disk, and a `Feeder` brings the blocks that are not.
 *
 * One thread does it all: the event loop polls /dev/fuse itself (device.ts), so no worker is needed.
 */
import type { BlockId, Root } from '../../blocks/types.ts';

/** Brings blocks into the store. The only thing that the volume server asks of anybody. */
export interface Feeder {
  /**
   * Asks for a block. Calls `done` once: without an argument when the block file is there and verified, with a reason
   * when it cannot be had. Never calls it before returning. The answer withdraws the request.
   */
  bring(root: Root, block: BlockId, done: (failure?: string) => void): () => void;
}

/** `stopped`: by us. `ended`: by the kernel, because the file system was unmounted or its connection aborted. */
export type Ending = 'stopped' | 'ended';

export interface Transport {
  /** Serves until `stop` or until the kernel ends the connection. Rejects when it cannot begin. */
  serve(): Promise<Ending>;
  /** Reads that still wait stay unanswered. */
  stop(): void;
}

/** What the journal is told. Levels are systemd's: `warning` for what heals by itself. */
export interface Log {
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
}
