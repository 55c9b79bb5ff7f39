/** Runs mkfs.erofs on a tar that is made while it runs. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const STDERR_BYTES_MAX = 4096;
/** Writes of a tar's many small parts are joined to this size. */
const WRITE_BYTES = 256 * 1024;

export interface Mkfs {
  /** The program, of erofs-utils 1.8 or newer. */
  program: string;
  options: readonly string[];
  /** Where it keeps the uncompressed files meanwhile. */
  tempDir: string;
  signal?: AbortSignal | undefined;
}

/** mkfs.erofs of erofs-utils 1.8 or newer: what is given, else `FORAGE_MKFS_EROFS`, else the one in PATH. */
export function mkfsProgram(given?: string): string {
  return given ?? process.env.FORAGE_MKFS_EROFS ?? 'mkfs.erofs';
}

/** Writes the image of `tar` to `image`. Rejects with the last words of mkfs.erofs, or with what reading `tar` threw. */
export async function makeImage(mkfs: Mkfs, tar: AsyncIterable<Buffer>, image: string): Promise<void> {
  const child = spawn(mkfs.program, [...mkfs.options, image], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, TMPDIR: mkfs.tempDir },
    signal: mkfs.signal,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_MAX);
  });
  const exit = once(child, 'close') as Promise<[number | null, string | null]>;
  const [fed, ended] = await Promise.allSettled([
    pipeline(Readable.from(joined(tar), { objectMode: true, highWaterMark: 2 }), child.stdin),
    exit,
  ]);
  if (ended.status === 'rejected') throw ended.reason;
  const [code, killedBy] = ended.value;
  // When it goes first, feeding it fails too, with EPIPE: then its own words are the cause.
  if (fed.status === 'rejected' && !isBrokenPipe(fed.reason)) throw fed.reason;
  if (code !== 0) throw new Error(`mkfs.erofs ended with ${killedBy ?? code}: ${stderr.trim()}`);
}

function isBrokenPipe(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

async function* joined(parts: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const part of parts) {
    waiting.push(part);
    bytes += part.length;
    if (bytes < WRITE_BYTES) continue;
    yield waiting.length === 1 ? part : Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}
