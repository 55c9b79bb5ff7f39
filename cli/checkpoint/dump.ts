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
  /** The container ends with it. */
  stop: boolean;
}

/** Answers the checkpoint's id. The container has gone on, or is frozen still where it was. Throws Failure. */
export async function dump(
  config: Config,
  namespace: string,
  id: string,
  options: DumpOptions,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'forage-checkpoint-'));
  const [images, log] = [join(folder, 'images'), join(folder, 'log.json')];
  try {
    await runtime(config, options.name, [
      ...['--root', `/run/containerd/runc/${namespace}`, '--log', log, '--log-format', 'json'],
      ...['checkpoint', '--image-path', images, '--work-path', folder],
      ...(options.stop ? [] : ['--leave-running']),
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

function runtime(config: Config, name: string | undefined, argv: string[]): Promise<void> {
  const env = {
    ...process.env,
    FORAGE_RUN: config.run,
    ...(name !== undefined && { FORAGE_CHECKPOINT_NAME: name }),
  };
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
