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
  const { child, ended } = start(mkfs, [image]);
  const [fed, end] = await Promise.allSettled([
    pipeline(Readable.from(joined(tar), { objectMode: true, highWaterMark: 2 }), child.stdin),
    ended,
  ]);
  // When it goes first, feeding it fails too, with EPIPE: then its own words are the cause.
  if (fed.status === 'rejected' && !isBrokenPipe(fed.reason)) throw fed.reason;
  if (end.status === 'rejected') throw end.reason;
}

/** Writes the image of the folder to `image`: nothing is copied but into the image. Rejects with the last words of mkfs.erofs. */
export async function imageOfFolder(mkfs: Mkfs, folder: string, image: string): Promise<void> {
  const { child, ended } = start(mkfs, [image, folder]);
  child.stdin.end();
  await ended;
}

function start({ program, options, tempDir, signal }: Mkfs, operands: string[]) {
  const child = spawn(program, [...options, ...operands], {
    stdio: ['pipe', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, TMPDIR: tempDir },
    signal,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_BYTES_MAX);
  });
  const end = async () => {
    const [code, killedBy] = (await once(child, 'close')) as [number | null, string | null];
    if (code !== 0) throw new Error(`mkfs.erofs ended with ${killedBy ?? code}: ${stderr.trim()}`);
  };
  return { child, ended: end() };
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
