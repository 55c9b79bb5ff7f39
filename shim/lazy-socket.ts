/**
 * Where CRIU's restore hands over the memory that it leaves for later: `lazy-pages.socket` in its working folder, to which it connects once.
 * For each process it sends the process's number in the dump and a userfaultfd, negative without one for a process that has ended, then that
 * it is done, before any of them runs. Source of the protocol: criu/uffd.c of CRIU 4.2.
 */
import { closeSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { SyscallError } from '../blocks/libc.ts';
import { readable } from './poll.ts';

export const LAZY_SOCKET = 'lazy-pages.socket';
const FINISHED = 0x52535446;

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** cmsghdr and one descriptor, as CMSG_SPACE(3) counts them. */
const CONTROL_BYTES = 24;
const WAIT_MS = 200;

koffi.struct('iovec', { base: 'void *', bytes: 'size_t' });
koffi.struct('msghdr', {
  name: 'void *',
  nameBytes: 'unsigned int',
  vectors: 'iovec *',
  vectorCount: 'size_t',
  control: 'void *',
  controlBytes: 'size_t',
  flags: 'int',
});
const libc = koffi.load('libc.so.6');
const calls = {
  socket: libc.func('int socket(int family, int type, int protocol)'),
  bind: libc.func('int bind(int fd, const void *address, unsigned int length)'),
  listen: libc.func('int listen(int fd, int backlog)'),
  accept: libc.func('int accept4(int fd, void *address, void *length, int flags)'),
  recvmsg: libc.func('long recvmsg(int fd, _Inout_ msghdr *message, int flags)'),
};

/** What CRIU hands over. */
export type Handed = { pid: number; uffd: number } | 'finished';

export class LazySocket {
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** Throws SyscallError. */
  static listen(folder: string): LazySocket {
    const path = join(folder, LAZY_SOCKET);
    rmSync(path, { force: true });
    const fd = checked('socket', calls.socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    // containerd's folders have longer names than an address has room for.
    const folderFd = openSync(folder, 'r');
    try {
      const address = Buffer.from(`\0\0/proc/self/fd/${folderFd}/${LAZY_SOCKET}\0`);
      address.writeUInt16LE(AF_UNIX, 0);
      checked('bind', calls.bind(fd, address, address.length));
      checked('listen', calls.listen(fd, 1));
    } catch (error) {
      closeSync(fd);
      throw error;
    } finally {
      closeSync(folderFd);
    }
    return new LazySocket(path, fd);
  }

  /** Ends with `finished`, or earlier when nothing has come on abort, or the restore has ended. Throws SyscallError. */
  async *handed(signal: AbortSignal): AsyncGenerator<Handed, void> {
    if (!(await waitFor(this.#fd, signal))) return;
    const connection = checked('accept4', calls.accept(this.#fd, null, null, SOCK_CLOEXEC));
    try {
      while (await waitFor(connection, signal)) {
        const word = receive(connection, 4);
        if (!word) return;
        const pid = word.bytes.readInt32LE(0);
        if (pid === FINISHED) {
          yield 'finished';
          return;
        }
        if (pid < 0) continue;
        const uffd = receive(connection, 1)?.fd;
        if (uffd === undefined) throw new Error('CRIU has sent a process without its userfaultfd');
        yield { pid, uffd };
      }
    } finally {
      closeSync(connection);
    }
  }

  close(): void {
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }
}

/** What CRIU has sent before its restore ended counts, also where that was heard of first: the last look is behind it. */
async function waitFor(fd: number, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    const isLast = signal.aborted;
    if ((await readable([fd], isLast ? 0 : WAIT_MS)).length > 0) return true;
    if (isLast) return false;
  }
}

/** Waits for all of the bytes, which CRIU sends at once. undefined: the connection has ended. */
function receive(fd: number, bytes: number): { bytes: Buffer; fd: number | undefined } | undefined {
  const data = Buffer.alloc(bytes);
  const control = Buffer.alloc(CONTROL_BYTES);
  const message = {
    name: null,
    nameBytes: 0,
    vectors: [{ base: data, bytes }],
    vectorCount: 1,
    control,
    controlBytes: CONTROL_BYTES,
    flags: 0,
  };
  const length = checked('recvmsg', Number(calls.recvmsg(fd, message, MSG_CMSG_CLOEXEC)));
  if (length === 0) return undefined;
  if (length !== bytes) throw new Error('CRIU has sent half a word');
  const isFd =
    control.readBigUInt64LE(0) > 0n &&
    control.readInt32LE(8) === SOL_SOCKET &&
    control.readInt32LE(12) === SCM_RIGHTS;
  return { bytes: data, fd: isFd ? control.readInt32LE(16) : undefined };
}

function checked(name: string, result: number): number {
  if (result === -1) throw new SyscallError(name, koffi.errno(), `of ${LAZY_SOCKET}`);
  return result;
}
