/**
 * The folder of volumes: finds a volume by name or by node id and reads it from block files.
 *
 * Nothing here outlives the process and nothing needs to: a node id is derived from the root, so a read that comes to a
 * fresh server finds its volume by a look at the folder of indexes (test: "a server that knows nothing").
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSha256 } from '../../blocks/block.ts';
import type { BlockId, Root } from '../../blocks/types.ts';
import { type DecodedIndex, decodeIndex } from '../../blocks/volume.ts';
import { BlockFiles, type BlockPlace } from './block-files.ts';
import type { FolderEntry } from './encode.ts';
import type { Log } from './types.ts';
import { WarmAhead } from './warm-ahead.ts';

/** 52 bits of the root: a number that JavaScript holds exactly. 0 and 1 mean something else in the protocol. */
export function nodeIdOf(root: Root): number {
  const id = Number.parseInt(root.slice(0, 13), 16);
  return id < 2 ? id + 2 : id;
}

/** A volume that somebody has looked at. */
export interface Volume {
  readonly root: Root;
  readonly nodeId: number;
  readonly sizeBytes: number;
}

interface OpenVolume extends Volume {
  readonly index: DecodedIndex;
  /** Key of the first block's descriptor. */
  readonly firstKey: number;
  /** A bit for each block that has passed its check. */
  readonly checked: Uint8Array;
  readonly ahead: WarmAhead;
}

export interface VolumeFilesOptions {
  /** The blocks' folder and the indexes' folder, as in blocks/store.ts and blocks/volumes.ts. */
  blocks: string;
  volumes: string;
  log: Log;
  openFilesMax?: number;
}

export class VolumeFiles {
  readonly #volumesFolder: string;
  readonly #log: Log;
  readonly #blocks: BlockFiles;
  readonly #open = new Map<number, OpenVolume>();
  #nextKey = 0;

  constructor(options: VolumeFilesOptions) {
    this.#volumesFolder = options.volumes;
    this.#log = options.log;
    this.#blocks = new BlockFiles(options.blocks, options.log, options.openFilesMax);
  }

  /** How often a block's hash was computed. */
  get checks(): number {
    return this.#blocks.checks;
  }

  /** By the file's name. undefined: there is no such volume. */
  find(name: string): Volume | undefined {
    if (!isSha256(name)) return undefined;
    const known = this.#open.get(nodeIdOf(name));
    if (known === undefined) return this.#load(name);
    if (known.root === name) return known;
    this.#log.error(`volumes ${known.root} and ${name} have one node id: the second is not served`);
    return undefined;
  }

  /** By the node id, which another server may have given out. */
  byNodeId(nodeId: number): Volume | undefined {
    const known = this.#open.get(nodeId);
    if (known !== undefined) return known;
    const roots = this.#roots().filter((root) => nodeIdOf(root) === nodeId);
    if (roots.length > 1) {
      this.#log.error(`volumes ${roots.join(' and ')} have one node id: neither is served`);
      return undefined;
    }
    return roots[0] === undefined ? undefined : this.#load(roots[0]);
  }

  /** The files of the folder behind `cookie`, in the order of their cookies. */
  entries(cookie: number): FolderEntry[] {
    return this.#roots()
      .map((name) => ({ name, nodeId: nodeIdOf(name), cookie: nodeIdOf(name) }))
      .filter((entry) => entry.cookie > cookie)
      .sort((a, b) => a.cookie - b.cookie);
  }

  /**
   * Reads into `into` from `at` on. Answers the number of bytes (short only at the volume's end), or, if anything of it
   * is not here, the blocks that are missing; then nothing in `into` is meant to be used.
   */
  read(volume: Volume, offset: number, sizeBytes: number, into: Buffer, at: number): number | BlockId[] {
    const { index } = volume as OpenVolume;
    if (offset >= index.sizeBytes) return 0;
    const end = Math.min(offset + sizeBytes, index.sizeBytes);
    const missing: BlockId[] = [];
    let position = offset;
    for (let i = index.blockAt(offset); position < end; i++) {
      const start = index.offset(i);
      const stop = Math.min(end, index.offset(i + 1));
      const here = this.#readBlock(
        volume as OpenVolume,
        i,
        into,
        at + position - offset,
        stop - position,
        position - start,
      );
      if (!here) missing.push(index.blockId(i));
      position = stop;
    }
    return missing.length === 0 ? end - offset : missing;
  }

  /** Closes the volume's block files: it is no longer read, and its blocks may be removed. */
  release(nodeId: number): void {
    const volume = this.#open.get(nodeId);
    if (volume === undefined) return;
    for (let i = 0; i < volume.index.blockCount; i++) this.#blocks.close(volume.firstKey + i);
  }

  /** Drops all that is remembered of a volume. */
  forget(nodeId: number): void {
    this.release(nodeId);
    this.#open.delete(nodeId);
  }

  close(): void {
    this.#blocks.closeAll();
    this.#open.clear();
  }

  #readBlock(
    volume: OpenVolume,
    i: number,
    into: Buffer,
    at: number,
    sizeBytes: number,
    from: number,
  ): boolean {
    const startMs = performance.now();
    const fd = this.#blocks.descriptor(volume.firstKey + i) ?? this.#openBlock(volume, i);
    if (fd === undefined) return false;
    const flaw = this.#blocks.read(fd, into, at, sizeBytes, from);
    volume.ahead.note(i, performance.now() - startMs);
    if (flaw === undefined) return true;
    this.#blocks.discard(this.#place(volume, i), flaw);
    return false;
  }

  /** A block that was away is checked again: what comes back is another file. */
  #openBlock(volume: OpenVolume, i: number): number | undefined {
    const fd = this.#blocks.open(this.#place(volume, i));
    const bit = 1 << (i & 7);
    if (fd === undefined) volume.checked[i >> 3]! &= ~bit;
    else volume.checked[i >> 3]! |= bit;
    return fd;
  }

  #place({ index, firstKey, checked }: OpenVolume, i: number): BlockPlace {
    return {
      key: firstKey + i,
      id: index.blockId(i),
      sizeBytes: index.offset(i + 1) - index.offset(i),
      checked: ((checked[i >> 3]! >> (i & 7)) & 1) === 1,
    };
  }

  #roots(): Root[] {
    return readdirSync(this.#volumesFolder).filter(isSha256);
  }

  #load(root: Root): OpenVolume | undefined {
    let encoded: Buffer;
    try {
      encoded = readFileSync(join(this.#volumesFolder, root));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    const index = decodeIndex(encoded);
    if (index.root !== root)
      throw new Error(`the index of volume ${root} is corrupt: its root is ${index.root}`);
    const volume: OpenVolume = {
      root,
      nodeId: nodeIdOf(root),
      sizeBytes: index.sizeBytes,
      index,
      firstKey: this.#nextKey,
      checked: new Uint8Array(Math.ceil(index.blockCount / 8)),
      ahead: new WarmAhead(index.blockCount, (i) => this.#blocks.path(index.blockId(i))),
    };
    this.#nextKey += index.blockCount;
    this.#open.set(volume.nodeId, volume);
    return volume;
  }
}
