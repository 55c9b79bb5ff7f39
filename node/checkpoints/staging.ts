/**
 * Folders that dumps are written to: on the tmpfs of the sockets while memory is plenty (a dump at the speed of memory keeps the container
 * frozen the shortest), else on the disk.
 *
 * Invariants: a folder without `taken.json` is of a dump under way, or was left by one that died: the next start removes it. A folder with
 * it is the only copy of a state, and goes only once the checkpoint's record is published. The file is written whole, by another
 * name first.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Root } from '../../blocks/types.ts';
import type { CheckpointDocument } from './document.ts';

/** A staged dump that this node has taken over, with what its document will say. */
export interface Staged {
  id: string;
  directory: string;
  hasFiles: boolean;
  document: Omit<CheckpointDocument, 'format'>;
  /** Writable volumes that the container had as lower layers, lowest first. */
  below: readonly Root[];
}

export class NoRoomError extends Error {
  constructor(bytes: number, where: string) {
    super(`a dump of some ${Math.ceil(bytes / 1e6)} MB does not fit into ${where}`);
    this.name = 'NoRoomError';
  }
}

/** An estimate is one: a dump may take so many times as much. */
const MARGIN = 1.25;
/** Of the machine's memory, what must be left to all others when a dump is staged in memory. */
const MEMORY_LEFT = 0.25;
const TAKEN = 'taken.json';
const NAME_CHARACTERS_MAX = 40;

export interface Staging {
  /** An empty folder of mode 0700. Throws NoRoomError. */
  make(
    container: string,
    bytes: number,
    wished: string | undefined,
  ): Promise<{ id: string; directory: string }>;
  /** Resolves once the folder outlives this process. */
  take(staged: Staged): Promise<void>;
  remove(directory: string): Promise<void>;
  /** What earlier processes have taken and not finished. Removes what none has taken. */
  leftovers(): Promise<Staged[]>;
}

export async function openStaging(rootDirectory: string, runDirectory: string): Promise<Staging> {
  const inMemory = join(runDirectory, 'staging');
  const onDisk = join(rootDirectory, 'staging');
  for (const folder of [inMemory, onDisk]) await mkdir(folder, { recursive: true, mode: 0o700 });

  async function place(bytes: number): Promise<string> {
    if ((await freeBytes(inMemory)) > bytes && (await memoryAllows(bytes))) return inMemory;
    if ((await freeBytes(onDisk)) > bytes) return onDisk;
    throw new NoRoomError(bytes, onDisk);
  }

  return {
    async make(container, bytes, wished) {
      const id = wished ?? idFor(container);
      const directory = join(await place(bytes * MARGIN), id);
      await mkdir(directory, { mode: 0o700 });
      return { id, directory };
    },
    async take(staged) {
      const fresh = join(staged.directory, `${TAKEN}.new`);
      const file = await open(fresh, 'wx', 0o600);
      try {
        await file.writeFile(JSON.stringify(staged));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(fresh, join(staged.directory, TAKEN));
    },
    remove: (directory) => rm(directory, { recursive: true, force: true, maxRetries: 5 }),
    async leftovers() {
      const found: Staged[] = [];
      for (const folder of [inMemory, onDisk]) {
        for (const name of await readdir(folder)) {
          const directory = join(folder, name);
          const staged = await takenIn(directory);
          if (staged) found.push(staged);
          else await rm(directory, { recursive: true, force: true });
        }
      }
      return found;
    },
  };
}

async function takenIn(directory: string): Promise<Staged | undefined> {
  try {
    return JSON.parse(await readFile(join(directory, TAKEN), 'utf8')) as Staged;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Such as `web-20261127-202230-3fa9`: people read and type them. */
function idFor(container: string): string {
  const readable = container
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  // Names that tools make up are 64 hex digits, of which they show twelve.
  const short = /^[0-9a-f]{64}$/.test(readable)
    ? readable.slice(0, 12)
    : readable.slice(0, NAME_CHARACTERS_MAX);
  const now = new Date().toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${short || 'container'}-${now}-${randomBytes(2).toString('hex')}`;
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

async function memoryAllows(bytes: number): Promise<boolean> {
  const text = await readFile('/proc/meminfo', 'utf8');
  const kib = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
  return (kib('MemAvailable') - MEMORY_LEFT * kib('MemTotal')) * 1024 > bytes;
}
