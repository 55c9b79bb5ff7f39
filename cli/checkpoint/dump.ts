/** A checkpoint of a running container, by the runtime that is in front of runc: so it works for whatever runtime the container was started with. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '../../node/config/config.ts';
import { decodeReference, REFERENCE_FILE } from '../../shim/reference.ts';
import { Failure } from '../errors.ts';

const FORAGE_RUNC = process.env.FORAGE_RUNTIME || '/usr/bin/forage-runc';

export interface DumpOptions {
  /** The checkpoint's id; undefined: made up. */
  name: string | undefined;
  /** What the container does afterwards. */
  after: 'run' | 'end' | 'stay frozen';
}

/** containerd's folder of runc's states. */
const rootOf = (namespace: string) => `/run/containerd/runc/${namespace}`;

/** Answers the checkpoint's id. Throws Failure; the container may be frozen then, if it was to be. */
export async function dump(
  config: Config,
  namespace: string,
  id: string,
  options: DumpOptions,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-checkpoint-'));
  const [images, log] = [join(folder, 'images'), join(folder, 'log.json')];
  try {
    await runtime(environment(config, options), [
      ...['--root', rootOf(namespace), '--log', log, '--log-format', 'json'],
      ...['checkpoint', '--image-path', images, '--work-path', folder],
      ...(options.after === 'end' ? [] : ['--leave-running']),
      id,
    ]).catch(async (error: Error) => {
      throw new Failure(`${id} could not be checkpointed: ${await lastError(log, error.message)}`);
    });
    const reference = await readFile(join(images, REFERENCE_FILE), 'utf8').catch(async () => {
      throw new Failure(`the node did not take the checkpoint: ${await lastError(log, 'it gave no reason')}`);
    });
    return decodeReference(reference).checkpoint;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Lets a container go on that stayed frozen, of which containerd does not know. One that is not frozen, or gone, is left as it is. */
export async function thaw(namespace: string, id: string): Promise<void> {
  await runtime(process.env, ['--root', rootOf(namespace), 'resume', id]).catch(() => {});
}

function environment({ run }: Config, { name, after }: DumpOptions): NodeJS.ProcessEnv {
  return {
    ...process.env,
    FORAGE_RUN: run,
    ...(name !== undefined && { FORAGE_CHECKPOINT_NAME: name }),
    ...(after === 'stay frozen' && { FORAGE_CHECKPOINT_FREEZES: '1' }),
  };
}

function runtime(env: NodeJS.ProcessEnv, argv: string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(FORAGE_RUNC, argv, { env }, (error, _stdout, stderr) => {
      if (error) reject(new Error(stderr.trim().split('\n')[0] || error.message));
      else resolve();
    });
  });
}

/** Lines of JSON, of runc and of the shim; the last warning or error tells most. */
async function lastError(log: string, otherwise: string): Promise<string> {
  const lines = (await readFile(log, 'utf8').catch(() => '')).trim().split('\n').filter(Boolean);
  const said = lines.map((line) => JSON.parse(line) as { level: string; msg: string });
  return said.findLast(({ level }) => level === 'error' || level === 'warning')?.msg ?? otherwise;
}
