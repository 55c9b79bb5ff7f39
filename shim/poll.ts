/** poll(2), off the event loop: Node watches no descriptors that are neither files nor sockets. */
import koffi from 'koffi';
import { SyscallError } from '../blocks/libc.ts';

const POLLIN = 1;
const ENTRY_BYTES = 8;
const EINTR = 4;

const raw = koffi.load('libc.so.6').func('int poll(_Inout_ void *fds, unsigned long count, int timeout)');

/** Those that have something to read, were hung up or are none; none after the time. Rejects with SyscallError. */
export async function readable(fds: readonly number[], timeoutMs: number): Promise<number[]> {
  const entries = Buffer.alloc(fds.length * ENTRY_BYTES);
  for (const [i, fd] of fds.entries()) {
    entries.writeInt32LE(fd, i * ENTRY_BYTES);
    entries.writeInt16LE(POLLIN, i * ENTRY_BYTES + 4);
  }
  const count = await call(entries, fds.length, timeoutMs);
  return count === 0 ? [] : fds.filter((_, i) => entries.readInt16LE(i * ENTRY_BYTES + 6) !== 0);
}

function call(entries: Buffer, count: number, timeoutMs: number): Promise<number> {
  return new Promise((resolve, reject) => {
    raw.async(entries, count, timeoutMs, (error: Error | null, result: number) => {
      if (error) reject(error);
      else if (result >= 0) resolve(result);
      else if (koffi.errno() === EINTR) resolve(0);
      else reject(new SyscallError('poll', koffi.errno(), ''));
    });
  });
}
