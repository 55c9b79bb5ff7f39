/**
 * Runs one ingest in a process of its own, so that hashing and decompressing never hold up the node. The job goes
 * as one JSON argument, the blob through standard input, the answer comes as one JSON line (`ingest-main.ts`).
 *
 * The child works in a folder that this side makes and always removes. When both die, `sweepIngests` removes it later;
 * in the stores there are only whole blocks then, since the index is published last.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { CheckpointJob } from './checkpoint-volume.ts';
import type { IngestJob, IngestResult } from './ingest.ts';
import type { StoredImage } from './store-image.ts';

/** What the node asks for: a job with the folders instead of the open stores. */
interface Folders {
  blocksDir: string;
  volumesDir: string;
  /** Where the work folder goes; on a disk, not a tmpfs. */
  tempDir: string;
}

interface Remembering {
  /** See page-names.ts. */
  pageNamesDir: string;
}

export type ChildJob = Omit<IngestJob, 'workDir'> & Folders;
export type CheckpointChildJob = Omit<CheckpointJob, 'workDir'> & Folders & Remembering;

/** What the child gets and answers. */
export type ChildRequest = (IngestJob | (CheckpointJob & Remembering)) &
  Pick<Folders, 'blocksDir' | 'volumesDir'>;
export type ChildAnswer = { ok: StoredImage } | { error: { name: string; message: string } };

const WORK_PREFIX = 'ingest-';
const OUTPUT_BYTES_MAX = 64 * 1024;
const MAIN = fileURLToPath(new URL('ingest-main.ts', import.meta.url));

/** Removes what killed ingests left in `tempDir`; for the start, when none runs. */
export async function sweepIngests(tempDir: string): Promise<void> {
  await mkdir(tempDir, { recursive: true, mode: 0o700 });
  for (const name of await readdir(tempDir)) {
    if (name.startsWith(WORK_PREFIX)) await rm(join(tempDir, name), { recursive: true, force: true });
  }
}

/** `tar`: the blob as stored, or null where there is none. Rejects with the child's error, its name kept. */
export async function runIngest(
  job: ChildJob,
  tar: AsyncIterable<Uint8Array> | null,
  options: { signal?: AbortSignal } = {},
): Promise<IngestResult> {
  // The child answers a layer with its kind of result.
  return (await inFolder(job, tar, options.signal)) as IngestResult;
}

/** The same for one of a checkpoint's folders. */
export async function runCheckpointIngest(
  job: CheckpointChildJob,
  options: { signal?: AbortSignal } = {},
): Promise<StoredImage> {
  return inFolder(job, null, options.signal);
}

async function inFolder(
  { tempDir, ...job }: ChildJob | CheckpointChildJob,
  tar: AsyncIterable<Uint8Array> | null,
  signal: AbortSignal | undefined,
): Promise<StoredImage> {
  await mkdir(tempDir, { recursive: true, mode: 0o700 });
  const workDir = await mkdtemp(join(tempDir, WORK_PREFIX));
  try {
    return await runChild({ ...job, workDir }, tar, signal);
  } finally {
    // Retried: a mkfs.erofs that outlives its killed parent by a moment may still make a file.
    await rm(workDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function runChild(
  request: ChildRequest,
  tar: AsyncIterable<Uint8Array> | null,
  signal: AbortSignal | undefined,
): Promise<StoredImage> {
  const child = spawn(process.execPath, [MAIN, JSON.stringify(request)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  const stderr = collect(child.stderr);
  const stdout = collect(child.stdout);
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  const [fed, ended] = await Promise.allSettled([feed(child, tar), closed]);
  if (ended.status === 'rejected') throw ended.reason;
  const [code, killedBy] = ended.value;
  const answer = parseAnswer(stdout());
  if (answer && 'ok' in answer && code === 0) return answer.ok;
  // The stream's own failure is the cause of whatever the child says of a blob that was cut off.
  if (fed.status === 'rejected' && !isClosedPipe(fed.reason)) throw fed.reason;
  if (answer && 'error' in answer)
    throw Object.assign(new Error(answer.error.message), { name: answer.error.name });
  throw new Error(`ingest ended with ${killedBy ?? code}: ${stderr().trim()}`);
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

async function feed(child: Child, tar: AsyncIterable<Uint8Array> | null): Promise<void> {
  if (tar === null) {
    child.stdin.on('error', () => {}).end();
    return;
  }
  try {
    await pipeline(Readable.from(tar, { objectMode: true, highWaterMark: 2 }), child.stdin);
  } catch (error) {
    // A blob that was cut off must not look like a whole one.
    if (!isClosedPipe(error)) child.kill('SIGKILL');
    throw error;
  }
}

/** The child went first: it says why itself. */
function isClosedPipe(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EPIPE' || code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
}

/** The stream's last bytes as text. */
function collect(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-OUTPUT_BYTES_MAX);
  });
  return () => text;
}

function parseAnswer(stdout: string): ChildAnswer | undefined {
  const line = stdout.trim().split('\n').at(-1);
  if (!line) return undefined;
  try {
    return JSON.parse(line) as ChildAnswer;
  } catch {
    return undefined;
  }
}
