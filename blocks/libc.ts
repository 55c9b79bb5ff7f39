/**
 * Calls of libc that Node does not offer, through koffi, off the event loop (on koffi's threads) but for the clock and malloc: any of
 * the others may wait for a disk, and a mount waits for the volume server.
 */
import { getSystemErrorName } from 'node:util';
import koffi from 'koffi';

const libc = koffi.load('libc.so.6');

/** What mount(2) answers where a block device is wanted; Node has no name for it. */
const ENOTBLK = 15;

/** A failed system call, shaped like Node's own errors. */
export class SyscallError extends Error {
  readonly syscall: string;
  /** Positive, as in errno(3). */
  readonly errno: number;
  readonly code: string;
  constructor(syscall: string, errno: number, detail: string) {
    const code = errno === ENOTBLK ? 'ENOTBLK' : getSystemErrorName(-errno);
    super(`${code}: ${syscall} ${detail}`.trimEnd());
    this.name = 'SyscallError';
    this.syscall = syscall;
    this.errno = errno;
    this.code = code;
  }
}

type Argument = string | number | null;

/** Declares a call that answers -1 with errno on failure. `detail` names the object in the error's message. */
function declare<A extends Argument[]>(prototype: string, name: string) {
  const raw = libc.func(prototype);
  return (detail: string, ...args: A): Promise<number> =>
    new Promise((resolve, reject) => {
      raw.async(...args, (error: Error | null, result: number) => {
        if (error) reject(error);
        else if (result === -1) reject(new SyscallError(name, koffi.errno(), detail));
        else resolve(result);
      });
    });
}

const rawMount = declare<[string, string, string, number, string]>(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
  'mount',
);
const rawUmount = declare<[string, number]>('int umount2(const char *target, int flags)', 'umount2');
const rawSyncfs = declare<[number]>('int syncfs(int fd)', 'syncfs');

koffi.struct('timespec', { tv_sec: 'long', tv_nsec: 'long' });
const rawClock = libc.func('int clock_gettime(int clock, _Out_ timespec *time)');
/** From linux/time.h. */
const CLOCK_REALTIME = 0;

/**
 * Milliseconds since 1970 with their fraction, which `Date.now` lacks: containerd compares our times with its own, which are
 * in nanoseconds. The monotonic clock of `performance` drifts from this one.
 */
export function wallClockMs(): number {
  const time = { tv_sec: 0, tv_nsec: 0 };
  rawClock(CLOCK_REALTIME, time);
  return time.tv_sec * 1000 + time.tv_nsec / 1e6;
}

const rawTrim = libc.func('int malloc_trim(size_t pad)');

/** malloc_trim(3): what was freed goes back to the kernel, in the middle of the heap, too. */
export function trimMalloc(): void {
  rawTrim(0);
}

/** Flags of mount(2), from linux/mount.h. */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
/** Flag of umount2(2): leave the name space now, end when the last user has gone. */
export const MNT_DETACH = 2;

/** mount(2). Throws `SyscallError`. */
export async function mount(
  source: string,
  target: string,
  type: string,
  flags: number,
  data: string,
): Promise<void> {
  await rawMount(`${type} ${source} on ${target}`, source, target, type, flags, data);
}

/** umount2(2). Throws `SyscallError`; code EINVAL means that nothing is mounted there. */
export async function unmount(target: string, flags = 0): Promise<void> {
  await rawUmount(target, target, flags);
}

/** syncfs(2): all dirty data of the file system that holds `fd`. */
export async function syncfs(fd: number): Promise<void> {
  await rawSyncfs(`fd ${fd}`, fd);
}
