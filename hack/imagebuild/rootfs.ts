/**
 * Commands inside a root file system that is stacked from layer folders, their changes going to an upper folder.
 *
 * Every command gets a mount and a process namespace of its own: whatever becomes of it, its mounts and the
 * daemons that it started end with it.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, UserError } from '../testbed/run.ts';
import { cachePaths } from './cache.ts';

export interface Rootfs {
  /** Layer folders, the topmost first. */
  lowers: string[];
  /** Where the changes go. */
  upper: string;
  /** An empty folder on the same file system as `upper`. */
  scratch: string;
  /** Folders of the host to be seen inside: path outside, path inside. */
  binds?: [string, string][];
}

/** The environment of every command in a root. */
export const environmentInside = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  DEBIAN_FRONTEND: 'noninteractive',
  LC_ALL: 'C.UTF-8',
  HOME: '/root',
};

/** Runs a shell script in the root, with the packages that were downloaded before and the host's resolver. */
export async function runInRoot(rootfs: Rootfs, script: string): Promise<void> {
  const merged = join(rootfs.scratch, 'merged');
  const work = join(rootfs.scratch, 'work');
  for (const folder of [merged, work]) mkdirSync(folder, { recursive: true });
  const options = [
    `lowerdir=${rootfs.lowers.join(':')}`,
    `upperdir=${rootfs.upper}`,
    `workdir=${work}`,
    'index=off,metacopy=off,redirect_dir=off',
  ].join(',');
  const binds: [string, string][] = [
    [cachePaths.archives, '/var/cache/apt/archives'],
    [cachePaths.lists, '/var/lib/apt/lists'],
    ['/etc/resolv.conf', '/etc/resolv.conf'],
    ...(rootfs.binds ?? []),
  ];
  const steps = [
    `mount -t overlay overlay -o ${quote(options)} ${quote(merged)}`,
    `mount -t proc proc ${quote(merged)}/proc`,
    ...binds.map(([from, to]) => `mount --bind ${quote(from)} ${quote(merged + to)}`),
    `exec chroot ${quote(merged)} sh -euc ${quote(script)}`,
  ];
  const namespaces = ['--mount', '--pid', '--fork', '--kill-child'];
  await run('unshare', [...namespaces, 'sh', '-euc', steps.join('\n')], { env: environmentInside });
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Refuses early, with a remedy, on a machine that lacks what building needs. */
export function checkMachine(): void {
  if (process.getuid?.() !== 0) throw new UserError('building images needs root, for chroot and mounts');
  if (!existsSync('/usr/sbin/debootstrap'))
    throw new UserError('debootstrap is not installed: run hack/setup');
  if (!readFileSync('/proc/filesystems', 'utf8').includes('overlay'))
    throw new UserError('the kernel has no overlayfs: modprobe overlay');
}
