/** Copies of other processes' descriptors: pidfd_open(2) and pidfd_getfd(2), which have one number on all architectures. */
import koffi from 'koffi';
import { SyscallError } from '../blocks/libc.ts';

const PIDFD_OPEN = 434;
const PIDFD_GETFD = 438;

const syscall = koffi
  .load('libc.so.6')
  .func('long syscall(long number, long first, long second, long third)');

function call(name: string, number: number, first: number, second: number, detail: string): number {
  const result = Number(syscall(number, first, second, 0));
  if (result === -1) throw new SyscallError(name, koffi.errno(), detail);
  return result;
}

/** A descriptor of the process, which stays the same one's. Throws SyscallError. */
export function pidfdOpen(pid: number): number {
  return call('pidfd_open', PIDFD_OPEN, pid, 0, `of process ${pid}`);
}

/** A copy of the process's descriptor; both refer to one open file. Throws SyscallError. */
export function pidfdGetfd(pidfd: number, fd: number): number {
  return call('pidfd_getfd', PIDFD_GETFD, pidfd, fd, `of descriptor ${fd}`);
}
