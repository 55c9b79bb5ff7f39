/**
 * The transport over fuse-native (libfuse 2), for kernels or setups that the kernel transport does not suit. It mounts by
 * itself, and its mount dies with the process: a crash fails the reads of running containers.
 */
import { readFileSync } from 'node:fs';
import Fuse, { type Operations, type Stat } from 'fuse-native';
import { ERRNO, O_ACCMODE, S_IFDIR, S_IFREG } from './protocol.ts';
import type { Ending, Log, Transport } from './types.ts';
import type { Volume, VolumeFiles } from './volume-files.ts';
import type { WaitingReads } from './waiting-reads.ts';

/** libfuse does not tell that its mount has gone: it is looked for this often. */
const MOUNTED_POLL_MS = 500;
/** libfuse 2 reads no more at once. */
const READ_BYTES_MAX = 128 * 1024;
const VALID_SECONDS = 365 * 24 * 3600;

export interface NativeTransportOptions {
  /** An empty folder. */
  mountPoint: string;
  files: VolumeFiles;
  waiting: WaitingReads;
  log: Log;
}

export class NativeTransport implements Transport {
  readonly #options: NativeTransportOptions;
  readonly #fuse: Fuse;
  #finish: (ending: Ending) => void = () => {};
  #poll: NodeJS.Timeout | undefined;

  constructor(options: NativeTransportOptions) {
    this.#options = options;
    this.#fuse = new Fuse(options.mountPoint, this.#operations(), {
      timeout: false,
      fsname: 'forage',
      subtype: 'forage',
      defaultPermissions: true,
      kernelCache: true,
      entryTimeout: VALID_SECONDS,
      attrTimeout: VALID_SECONDS,
      maxRead: READ_BYTES_MAX,
    });
  }

  async serve(): Promise<Ending> {
    const ending = new Promise<Ending>((resolve) => {
      this.#finish = resolve;
    });
    await new Promise<void>((resolve, reject) => {
      this.#fuse.mount((error) => (error ? reject(error) : resolve()));
    });
    this.#poll = setInterval(() => this.#lookForMount(), MOUNTED_POLL_MS);
    return ending;
  }

  stop(): void {
    clearInterval(this.#poll);
    this.#fuse.unmount((error) => {
      if (error) this.#options.log.error(`unmount: ${error.message}`);
      this.#finish('stopped');
    });
  }

  #lookForMount(): void {
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    if (mounts.some((line) => line.split(' ')[4] === this.#options.mountPoint)) return;
    clearInterval(this.#poll);
    this.#finish('ended');
  }

  #operations(): Partial<Operations> {
    const { files } = this.#options;
    const find = (path: string) => files.find(path.slice(1));
    return {
      readdir: (_path, answer) =>
        answer(
          0,
          files.entries(0).map(({ name }) => name),
        ),
      getattr: (path, answer) => {
        const volume = path === '/' ? undefined : find(path);
        if (path !== '/' && volume === undefined) return answer(-ERRNO.ENOENT);
        answer(0, statOf(volume));
      },
      open: (path, flags, answer) => {
        if ((flags & O_ACCMODE) !== 0) return answer(-ERRNO.EROFS);
        answer(find(path) === undefined ? -ERRNO.ENOENT : 0, 0);
      },
      release: (path, _handle, answer) => {
        const volume = find(path);
        if (volume !== undefined) files.release(volume.nodeId);
        answer(0);
      },
      read: (path, _handle, into, sizeBytes, offset, answer) => {
        const volume = find(path);
        if (volume === undefined) return answer(-ERRNO.ESTALE);
        this.#read(volume, offset, sizeBytes, into, answer);
      },
    };
  }

  #read(
    volume: Volume,
    offset: number,
    sizeBytes: number,
    into: Buffer,
    answer: (code: number) => void,
  ): void {
    const { files, waiting, log } = this.#options;
    const settled = (failure?: string): void => {
      if (failure === undefined) {
        this.#read(volume, offset, sizeBytes, into, answer);
        return;
      }
      log.error(`a read of volume ${volume.root} fails: ${failure}`);
      answer(-ERRNO.EIO);
    };
    try {
      const result = files.read(volume, offset, sizeBytes, into, 0);
      if (typeof result === 'number') answer(result);
      else waiting.wait(volume.root, result, settled);
    } catch (error) {
      log.error(`READ: ${(error as Error).message}`);
      answer(-ERRNO.EIO);
    }
  }
}

/** undefined: the folder. Only root may look: layers hold files that only root may read. */
function statOf(volume: Volume | undefined): Stat {
  const then = new Date(0);
  const mode = volume === undefined ? S_IFDIR | 0o500 : S_IFREG | 0o400;
  const size = volume?.sizeBytes ?? 0;
  return { mtime: then, atime: then, ctime: then, nlink: 1, size, mode, uid: 0, gid: 0 };
}
