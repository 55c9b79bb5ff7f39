/**
 * /dev/fuse on the event loop.
 *
 * Node has no public way to poll a descriptor of its choice, and the two ways around cost too much: a worker that blocks
 * in read(2) 18 MB, read(2) on the thread pool twice the latency of a small read. libuv's pipes poll any descriptor and
 * read as much as there is at once, which for /dev/fuse is one whole request, so one is used here. (Measured on random
 * 4 KiB reads, p50: blocking read 13 us, this 15 us, thread pool 27 us.)
 */
import { writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { REQUEST_BYTES_MAX } from './protocol.ts';
import type { Ending } from './types.ts';

/** As much of libuv's pipe as is used here. */
interface Pipe {
  /** 0, or a negative errno. */
  open(fd: number): number;
}
type PipeBinding = { Pipe: new (type: number) => Pipe };

function pipeOver(fd: number): Pipe {
  // `process.binding` is not in the types: it is deprecated, without a successor for this use. Node's version is pinned.
  const { binding } = process as unknown as { binding(name: 'pipe_wrap'): PipeBinding };
  const pipe = new (binding('pipe_wrap').Pipe)(0);
  const error = pipe.open(fd);
  if (error !== 0) throw new Error(`/dev/fuse cannot be polled (errno ${-error})`);
  return pipe;
}

export class Device {
  readonly #fd: number;
  readonly #socket: Socket;
  /** Resolves once no more requests will come. */
  readonly ended: Promise<Ending>;

  /** Takes over `fd`. `receive` gets each request, in a buffer that is used again for the next. */
  constructor(fd: number, receive: (request: Buffer) => void) {
    this.#fd = fd;
    const buffer = Buffer.allocUnsafeSlow(REQUEST_BYTES_MAX);
    const options = {
      handle: pipeOver(fd),
      onread: {
        buffer,
        callback: (sizeBytes: number) => {
          receive(buffer.subarray(0, sizeBytes));
          return true;
        },
      },
    };
    this.#socket = new Socket(options as object);
    this.ended = new Promise((resolve) => {
      // ENODEV: unmounted. ECONNABORTED: aborted through /sys/fs/fuse. Nothing else ends a connection.
      this.#socket.once('error', () => resolve('ended'));
      this.#socket.once('end', () => resolve('ended'));
      this.#socket.once('close', () => resolve('stopped'));
    });
    this.#socket.resume();
  }

  /**
   * Sends one answer, which must be whole in one write. False: the kernel does not take it, because the request is
   * gone (its process was killed before we read the request, or the connection ended).
   */
  send(bytes: Buffer, sizeBytes: number): boolean {
    try {
      writeSync(this.#fd, bytes, 0, sizeBytes);
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw error;
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** The errors of a write that are normal: ENOENT for a request that is gone, the others for a connection that is. */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENODEV', 'ECONNABORTED', 'ENOTCONN', 'EPERM', 'EBADF'].includes(
    (error as NodeJS.ErrnoException).code ?? '',
  );
}
