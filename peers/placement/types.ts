/** What custody stands on: the contracts of those that know the members, the volumes, the disk and the way to others. */
import type { BlockId, BlockStore, Root } from '../../blocks/types.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../types.ts';
import type { HeldBlock, Limits, VolumeBlocks } from './custody.ts';
import type { PinAnswer, PinRequest } from './messages.ts';
import type { Owners } from './owners.ts';
import type { PinStore } from './pin-store.ts';

/** The volumes that this node knows: those whose index is durably here. A volume is living until it is removed everywhere. */
export interface KnownVolumes {
  /** Goes up with each change of what is living or removed, in the same turn of the event loop. */
  readonly version: number;
  isLiving(root: Root): boolean;
  /** Somebody waits until its owners keep it: a checkpoint's. They fetch it as fast as they can. */
  isAwaited(root: Root): boolean;
  living(): Iterable<Root>;
  removed(): Iterable<Root>;
  /** Undefined when its index cannot be read now: then nothing is dropped. */
  blocks(root: Root): Promise<VolumeBlocks | undefined>;
}

/** What is here, and what of it is needed here. */
export interface Holdings {
  held(): Iterable<HeldBlock>;
  usedBytes(): number;
  /** Of the disk. */
  freeBytes(): number;
  /**
   * A running container needs it here, or it is a metadata block of a volume that is mounted or offered as mountable: those
   * must not go while the kernel may want them.
   */
  isInUse(id: BlockId): boolean;
}

/** The way to other nodes. */
export interface Custodians {
  /** Rejects when the owner cannot be reached or does not answer in time. What it answers is checked here. */
  ask(owner: string, request: PinRequest): Promise<readonly PinAnswer[]>;
  /** Resolves once the block is in the store; behind everything that a container waits for. Rejects, too, when the signal gives it up. */
  fetch(id: BlockId, root: Root, signal: AbortSignal): Promise<void>;
}

export interface CustodianParts {
  /** This node's name among the members. One that is leaving is not among them, and owns nothing. */
  self: string;
  clock: Clock;
  blocks: Pick<BlockStore, 'has' | 'remove' | 'sync'>;
  pins: PinStore;
  /** The owners as this node sees the members now. */
  owners(): Owners;
  volumes: KnownVolumes;
  holdings: Holdings;
  others: Custodians;
  /** Asked at each plan, and at each fetch. */
  limits(): Limits;
  log: Log;
}
