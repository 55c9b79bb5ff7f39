/** The kernel: its age, and the three file systems that a lazy container stands on. */
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { MNT_DETACH, MS_RDONLY, mount, SyscallError, unmount } from '../../blocks/libc.ts';
import { exists } from '../settings.ts';
import { type Check, type Finding, isAtLeast, missing, ok, versionIn, warning } from './check.ts';

const NEWER_KERNEL =
  'apt install linux-image-$(dpkg --print-architecture) && reboot  # of Debian 13 or newer';

export function judgeKernel(text: string): Finding {
  const version = versionIn(text);
  if (version === undefined || !isAtLeast(version, 5, 15)) {
    return missing(`Linux ${text}: 5.15 or newer is needed`, NEWER_KERNEL);
  }
  if (!isAtLeast(version, 6, 9)) {
    return warning(
      `Linux ${text}: before 6.9, a crash of the volume server fails the reads that wait`,
      NEWER_KERNEL,
    );
  }
  if (!isAtLeast(version, 6, 12)) {
    return warning(
      `Linux ${text}: before 6.12, each volume takes a loop device and reads are slower`,
      NEWER_KERNEL,
    );
  }
  return ok(`Linux ${text}`);
}

const kernel: Check = { name: 'kernel', examine: async () => judgeKernel(release()) };

const fuse: Check = {
  name: 'FUSE',
  async examine({ config, run }) {
    try {
      await (await open('/dev/fuse', 'r+')).close();
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      return missing(
        `/dev/fuse cannot be opened: ${code}`,
        'modprobe fuse && echo fuse > /etc/modules-load.d/fuse.conf',
      );
    }
    if (config.fuse.transport === 'kernel') return ok('/dev/fuse');
    const libraries = await run('ldconfig', '-p');
    if (libraries.text.includes('libfuse.so.2')) return ok('/dev/fuse, libfuse 2');
    return missing(
      'libfuse 2 is not here, and fuse.transport is "fuse-native"',
      'apt install libfuse2t64 || apt install libfuse2',
    );
  },
};

const overlayfs: Check = {
  name: 'overlayfs',
  async examine({ run }) {
    if (/\toverlay$/m.test(await readFile('/proc/filesystems', 'utf8'))) return ok('known to the kernel');
    const { status } = await run('modprobe', '--dry-run', 'overlay');
    return status === 0
      ? ok('a module, loaded when needed')
      : missing('not known to the kernel', 'modprobe overlay');
  },
};

/**
 * A real mount of a real image: nothing else tells whether this kernel takes it straight from a file. The file is put
 * beside the blocks, because EROFS takes none from a tmpfs (such as /tmp).
 */
const erofs: Check = {
  name: 'EROFS',
  async examine({ config, run }) {
    const base = (await exists(config.root)) ? config.root : '/var/tmp';
    const folder = await mkdtemp(join(base, '.doctor-'));
    const image = join(folder, 'image');
    const point = join(folder, 'point');
    try {
      await mkdir(point);
      await mkdir(join(folder, 'tree'));
      await writeFile(join(folder, 'tree', 'file'), 'content\n'.repeat(10_000));
      const made = await run('mkfs.erofs', '-zlz4', image, join(folder, 'tree'));
      if (made.status !== 0)
        return missing('not tried: mkfs.erofs makes no image', 'apt install erofs-utils');
      return await tryMount(image, point);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

async function tryMount(image: string, point: string): Promise<Finding> {
  try {
    await mount(image, point, 'erofs', MS_RDONLY, '');
  } catch (error) {
    if (!(error instanceof SyscallError)) throw error;
    if (error.code === 'ENOTBLK')
      return warning('mounts need loop devices here, reads are slower', NEWER_KERNEL);
    return missing(
      `a trial mount failed: ${error.code}`,
      'modprobe erofs && echo erofs > /etc/modules-load.d/erofs.conf',
    );
  }
  try {
    const text = await readFile(join(point, 'file'), 'utf8');
    return text.startsWith('content')
      ? ok('mounts straight from a file')
      : missing('a trial mount read wrong data', NEWER_KERNEL);
  } finally {
    await unmount(point, MNT_DETACH);
  }
}

export const kernelChecks: Check[] = [kernel, fuse, overlayfs, erofs];
