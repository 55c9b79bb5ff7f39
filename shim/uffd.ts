/** A userfaultfd of another process: what happens to its memory, and pages for it. Source: ioctl_userfaultfd(2), linux/userfaultfd.h of Linux 6.12. */
import { closeSync, readSync } from 'node:fs';
import koffi from 'koffi';
import { SyscallError } from '../blocks/libc.ts';
import { PAGE_BYTES } from '../blocks/types.ts';

/** Numbers of ioctls, which are the same on all architectures that Node runs on. */
const UNREGISTER = 0x8010aa01;
const COPY = 0xc028aa03;
const ZERO = 0xc020aa04;

const MESSAGE_BYTES = 32;
const EVENT = { fault: 0x12, fork: 0x13, remap: 0x14, remove: 0x15, unmap: 0x16 };
const ERRNO = { noent: 2, srch: 3, again: 11, nomem: 12, exist: 17, nospc: 28 };

export type UffdEvent =
  | { event: 'fault'; address: number }
  /** Of the child; ours from now on. */
  | { event: 'fork'; fd: number }
  | { event: 'remap'; from: number; to: number; bytes: number }
  /** Emptied by madvise(2), or unmapped. */
  | { event: 'remove'; start: number; end: number };

/**
 * How giving pages went. `again`: the process is changing its memory, and says how in an event that is on its way; or the machine has no
 * memory just now. `absent`: no memory of the descriptor's is there, or several areas are. `gone`: the process has ended.
 */
export type Given = { how: 'given' | 'again' | 'absent' | 'gone'; bytes: number };

koffi.struct('uffdio_range', { start: 'uint64_t', len: 'uint64_t' });
koffi.struct('uffdio_copy', {
  dst: 'uint64_t',
  src: 'const void *',
  len: 'uint64_t',
  mode: 'uint64_t',
  done: 'int64_t',
});
koffi.struct('uffdio_zeropage', { start: 'uint64_t', len: 'uint64_t', mode: 'uint64_t', done: 'int64_t' });
const libc = koffi.load('libc.so.6');
const declare = (argument: string) =>
  libc.func(`int ioctl(int fd, unsigned long request, ${argument} *argument)`);
const ioctl = {
  unregister: declare('uffdio_range'),
  copy: declare('_Inout_ uffdio_copy'),
  zero: declare('_Inout_ uffdio_zeropage'),
};

export class Uffd {
  readonly fd: number;
  readonly #messages = Buffer.alloc(64 * MESSAGE_BYTES);

  constructor(fd: number) {
    this.fd = fd;
  }

  /** What has happened, in order; call it when there is something to read. Throws what read(2) says. */
  events(): UffdEvent[] {
    let length: number;
    try {
      length = readSync(this.fd, this.#messages);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return [];
      throw error;
    }
    const found: UffdEvent[] = [];
    for (let at = 0; at < length; at += MESSAGE_BYTES)
      found.push(eventIn(this.#messages.subarray(at, at + MESSAGE_BYTES)));
    return found;
  }

  /** Whole pages, at a page. A page that is there already counts as given. Throws SyscallError. */
  give(address: number, pages: Buffer): Given {
    const copy = { dst: address, src: pages, len: pages.length, mode: 0, done: 0 };
    if (ioctl.copy(this.fd, COPY, copy) === 0) return { how: 'given', bytes: pages.length };
    return failed('UFFDIO_COPY', address, copy.done);
  }

  /** A page that was never written. Throws SyscallError. */
  giveZeros(address: number): Given {
    const zero = { start: address, len: PAGE_BYTES, mode: 0, done: 0 };
    if (ioctl.zero(this.fd, ZERO, zero) === 0) return { how: 'given', bytes: PAGE_BYTES };
    return failed('UFFDIO_ZEROPAGE', address, zero.done);
  }

  /** Whether the process has ended, which the kernel does not tell by itself: it knows no memory to look in for what nobody has registered. */
  isGone(): boolean {
    return (
      ioctl.unregister(this.fd, UNREGISTER, { start: 0, len: PAGE_BYTES }) === -1 &&
      koffi.errno() === ERRNO.nomem
    );
  }

  close(): void {
    closeSync(this.fd);
  }
}

function failed(name: string, address: number, done: number): Given {
  const errno = koffi.errno();
  switch (errno) {
    case ERRNO.again:
      return { how: 'again', bytes: Math.max(0, done) };
    case ERRNO.nomem:
      return { how: 'again', bytes: 0 };
    case ERRNO.exist:
      return { how: 'given', bytes: PAGE_BYTES };
    case ERRNO.noent:
      return { how: 'absent', bytes: 0 };
    case ERRNO.srch:
    case ERRNO.nospc:
      return { how: 'gone', bytes: 0 };
    default:
      throw new SyscallError(name, errno, `at 0x${address.toString(16)}`);
  }
}

function eventIn(message: Buffer): UffdEvent {
  const number = (at: number) => Number(message.readBigUInt64LE(at));
  const kind = message[0];
  switch (kind) {
    case EVENT.fault:
      return { event: 'fault', address: number(16) - (number(16) % PAGE_BYTES) };
    case EVENT.fork:
      return { event: 'fork', fd: message.readUInt32LE(8) };
    case EVENT.remap:
      return { event: 'remap', from: number(8), to: number(16), bytes: number(24) };
    case EVENT.remove:
    case EVENT.unmap:
      return { event: 'remove', start: number(8), end: number(16) };
    default:
      throw new Error(`a userfaultfd's event ${kind}`);
  }
}
