/**
 * Names of the pages in memory volumes, remembered by the node that made them: the next checkpoint of the same processes need not read and hash
 * them again, while a container may be frozen. A cache: what is absent is worked out from the blocks.
 *
 * A file `<root>` is 32 bytes of sha256 over the root's name and the rest, then 16 bytes for each page of the image. One that was cut off or
 * has changed is not believed: a wrong name would put wrong memory into a container.
 */
import { hash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSha256 } from './block.ts';
import type { Root } from './types.ts';

export interface PageNames {
  /** `WORDS` a page of the volume's image; undefined: not remembered. */
  get(root: Root): Uint32Array | undefined;
  put(root: Root, names: Uint32Array): void;
}

const SUM_BYTES = 32;
/** Some megabytes each for a gigabyte of memory. */
const FILES_MAX = 16;

export function openPageNames(directory: string): PageNames {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return {
    get(root) {
      let bytes: Buffer;
      try {
        bytes = readFileSync(join(directory, root));
      } catch {
        return undefined;
      }
      const names = bytes.subarray(SUM_BYTES);
      if (!sumOf(root, names).equals(bytes.subarray(0, SUM_BYTES))) return undefined;
      return new Uint32Array(names.buffer.slice(names.byteOffset, names.byteOffset + names.length));
    },
    put(root, names) {
      const bytes = Buffer.from(names.buffer, names.byteOffset, names.byteLength);
      const fresh = join(directory, `${root}.new`);
      writeFileSync(fresh, Buffer.concat([sumOf(root, bytes), bytes]), { mode: 0o600 });
      renameSync(fresh, join(directory, root));
      forgetOldest(directory);
    },
  };
}

function sumOf(root: Root, names: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(root), hash('sha256', names, 'buffer')]), 'buffer');
}

/** And what a process has left that was killed. */
function forgetOldest(directory: string): void {
  const files = readdirSync(directory).map((name) => ({ name, ms: timeOf(join(directory, name)) }));
  const [whole, cut] = [
    files.filter(({ name }) => isSha256(name)),
    files.filter(({ name }) => !isSha256(name)),
  ];
  const old = whole.sort((a, b) => b.ms - a.ms).slice(FILES_MAX);
  for (const { name } of [...old, ...cut]) rmSync(join(directory, name), { force: true });
}

function timeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
