/**
 * A process whose memory is left for later, as CRIU leaves it: anonymous memory of this very process behind a userfaultfd. Touching it blocks a
 * thread, so that is done off the event loop.
 */
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { SyscallError } from '../blocks/libc.ts';
import { PAGE_BYTES } from '../blocks/types.ts';

/** O_CLOEXEC | O_NONBLOCK. */
const FLAGS = 0o2004000;
const API = 0xc018aa3f;
const REGISTER = 0xc020aa00;
/** Moves, madvise(2) and unmapping are told of. Forks are not: a process that serves its own memory would wait for itself. */
const FEATURES = 0b1001100n;
const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MREMAP_MAYMOVE_FIXED = 3;
const MADV_DONTNEED = 4;

const libc = koffi.load('libc.so.6');
const calls = {
  syscall: libc.func('long syscall(long number, long flags)'),
  ioctl: libc.func('int ioctl(int fd, unsigned long request, _Inout_ void *argument)'),
  mmap: libc.func(
    'int64_t mmap(uint64_t address, size_t bytes, int protection, int flags, int fd, long offset)',
  ),
  munmap: libc.func('int munmap(uint64_t address, size_t bytes)'),
  mremap: libc.func('int64_t mremap(uint64_t from, size_t bytes, size_t newBytes, int flags, uint64_t to)'),
  madvise: libc.func('int madvise(uint64_t address, size_t bytes, int advice)'),
  memcpy: libc.func('void *memcpy(_Out_ void *to, uint64_t from, size_t bytes)'),
};

function async(name: keyof typeof calls, ...args: unknown[]): Promise<number> {
  return new Promise((resolve, reject) => {
    calls[name].async(...args, (error: Error | null, result: unknown) => {
      if (error) reject(error);
      else if (Number(result) === -1) reject(new SyscallError(name, koffi.errno(), ''));
      else resolve(Number(result));
    });
  });
}

export class RestoredTwin {
  readonly uffd: number;

  /** Throws SyscallError where this machine lets nobody have a userfaultfd. */
  constructor() {
    const number = process.arch === 'x64' ? 323 : 282;
    this.uffd = Number(calls.syscall(number, FLAGS));
    if (this.uffd === -1) throw new SyscallError('userfaultfd', koffi.errno(), '');
    const api = Buffer.alloc(24);
    api.writeBigUInt64LE(0xaan, 0);
    api.writeBigUInt64LE(FEATURES, 8);
    this.#ioctl('UFFDIO_API', API, api);
  }

  /** Memory that is registered, or not. Answers its address. */
  map(pages: number, { isLazy = true, at = 0 } = {}): number {
    const bytes = pages * PAGE_BYTES;
    const address = Number(calls.mmap(at, bytes, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0));
    if (isLazy) this.#register(address, bytes);
    return address;
  }

  #register(address: number, bytes: number): void {
    const register = Buffer.alloc(32);
    register.writeBigUInt64LE(BigInt(address), 0);
    register.writeBigUInt64LE(BigInt(bytes), 8);
    register.writeBigUInt64LE(1n, 16);
    this.#ioctl('UFFDIO_REGISTER', REGISTER, register);
  }

  /** The first word of the page: waits until it is there. */
  async touch(address: number): Promise<number> {
    const word = Buffer.alloc(4);
    await async('memcpy', word, address, 4);
    return word.readUInt32LE(0);
  }

  /** To memory that `map` has answered. */
  move(from: number, to: number, pages: number): Promise<number> {
    const bytes = pages * PAGE_BYTES;
    return async('mremap', from, bytes, bytes, MREMAP_MAYMOVE_FIXED, to);
  }

  /** As a program that frees it. */
  empty(address: number, pages: number): Promise<number> {
    return async('madvise', address, pages * PAGE_BYTES, MADV_DONTNEED);
  }

  unmap(address: number, pages: number): Promise<number> {
    return async('munmap', address, pages * PAGE_BYTES);
  }

  close(): void {
    closeSync(this.uffd);
  }

  #ioctl(name: string, request: number, argument: Buffer): void {
    if (calls.ioctl(this.uffd, request, argument) === -1) throw new SyscallError(name, koffi.errno(), '');
  }
}
