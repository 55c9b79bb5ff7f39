/**
 * The EROFS mounts of volumes, one a root, at `<run>/m/<root>`, from the volume server's file `<run>/volumes/<root>`.
 * The kernel's mount table is the truth: mounts made before a crash of this process are adopted.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MNT_DETACH, MS_RDONLY, mount, SyscallError, unmount } from '../blocks/libc.ts';
import type { Root } from '../blocks/types.ts';

const run = promisify(execFile);

export interface ErofsMounts {
  /** Mounts the volume unless it is mounted. Answers the mount point. */
  ensure(root: Root): Promise<string>;
  /** Ends the mount; containers that still use it keep their reference until they end. */
  remove(root: Root): Promise<void>;
  mounted(): ReadonlySet<Root>;
}

/** Reads the mount table once; the folder `runDirectory` must exist. */
export async function openErofsMounts(runDirectory: string): Promise<ErofsMounts> {
  const volumesPoint = join(runDirectory, 'volumes');
  const base = join(runDirectory, 'm');
  await mkdir(base, { recursive: true, mode: 0o711 });
  const mounted = new Set<Root>();
  for (const { point, type } of mountTable()) {
    if (type === 'erofs' && point.startsWith(`${base}/`)) mounted.add(point.slice(base.length + 1));
  }
  /** Per root, so that a mount and its end never overlap. */
  const tails = new Map<Root, Promise<unknown>>();

  function inTurn<T>(root: Root, work: () => Promise<T>): Promise<T> {
    const before = tails.get(root) ?? Promise.resolve();
    const result = before.then(work, work);
    tails.set(root, result);
    const forget = () => {
      if (tails.get(root) === result) tails.delete(root);
    };
    result.then(forget, forget);
    return result;
  }

  async function make(root: Root): Promise<string> {
    const point = join(base, root);
    if (mounted.has(root)) return point;
    const served = mountTable().some((m) => m.point === volumesPoint && m.type.startsWith('fuse'));
    if (!served) throw new Error(`the volume server is not there: nothing is mounted at ${volumesPoint}`);
    await mkdir(point, { recursive: true, mode: 0o755 });
    await mountImage(join(volumesPoint, root), point);
    mounted.add(root);
    return point;
  }

  async function end(root: Root): Promise<void> {
    if (!mounted.has(root)) return;
    const point = join(base, root);
    await unmount(point, MNT_DETACH).catch((error: unknown) => {
      if (!(error instanceof SyscallError && error.code === 'EINVAL')) throw error;
    });
    mounted.delete(root);
    await rmdir(point);
  }

  return {
    ensure: (root) => inTurn(root, () => make(root)),
    remove: (root) => inTurn(root, () => end(root)),
    mounted: () => mounted,
  };
}

/** Straight from the file (Linux >= 6.12), else through a loop device. */
async function mountImage(file: string, point: string): Promise<void> {
  try {
    await mount(file, point, 'erofs', MS_RDONLY, '');
  } catch (error) {
    if (!(error instanceof SyscallError && error.code === 'ENOTBLK')) throw error;
    await run('mount', ['-t', 'erofs', '-o', 'loop,ro', file, point]);
  }
}

/** proc_pid_mountinfo(5): field 5 is the mount point (octal escapes), the first field behind ` - ` the type. */
function mountTable(): { point: string; type: string }[] {
  const text = readFileSync('/proc/self/mountinfo', 'utf8');
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [left = '', right = ''] = line.split(' - ');
      const point = (left.split(' ')[4] ?? '').replace(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      return { point, type: right.split(' ')[0] ?? '' };
    });
}
