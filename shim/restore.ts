/**
 * `restore`: where the image path holds a reference, the node mounts the checkpoint's volumes, a guard (guard.ts) serves the memory and outlives
 * this process, what the container had written is applied where it is not there as a lower layer, and runc restores. The standard
 * streams are the container's: nothing is printed, errors go to runc's log.
 *
 * The guard is told how it ended. If this process dies before that, the guard ends what was begun.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyFiles } from './apply.ts';
import { type Arguments, flagValue, globalValue, withFlags, withValue } from './arguments.ts';
import { bringLoopbackUp } from './bundle.ts';
import { comingContainer } from './container.ts';
import { tellCause } from './criu-log.ts';
import type { FromGuard, GuardJob, ToGuard } from './guard.ts';
import { referenceIn } from './reference.ts';
import { knownFlags, runcAs } from './runc.ts';

const DEFAULT_ROOT = '/run/runc';
const GUARD = fileURLToPath(new URL('guard-main.ts', import.meta.url));

/** Answers the exit status. */
export async function restore(args: Arguments): Promise<number> {
  const imagePath = resolve(flagValue(args.flags, 'image-path') ?? 'checkpoint');
  const reference = await referenceIn(imagePath);
  if (!reference) return runcAs(args);
  const id = args.operands[0] ?? '';
  const bundle = resolve(flagValue(args.flags, 'bundle', 'b') ?? '.');
  const { facts, rootfs } = await comingContainer(globalValue(args, 'root') ?? DEFAULT_ROOT, id, bundle);
  const workPath = resolve(flagValue(args.flags, 'work-path') ?? imagePath);
  await mkdir(workPath, { recursive: true, mode: 0o700 });
  const guard = startGuard({ reference, container: facts, workPath });
  try {
    const [{ images, files, flags, lazy }, known] = await Promise.all([ready(guard), knownFlags('restore')]);
    await applyFiles(files, rootfs);
    await bringLoopbackUp(bundle);
    const added = lazy ? [...flags, '--lazy-pages'] : flags;
    const status = await runcAs(
      withFlags(withValue(withValue(args, 'image-path', images), 'work-path', workPath), added, known),
    );
    if (status !== 0) tellCause(args, join(workPath, 'restore.log'));
    await say(guard, status === 0 ? { restored: true } : { failed: true });
    return status;
  } finally {
    if (guard.connected) guard.disconnect();
    guard.unref();
  }
}

function startGuard(job: GuardJob): ChildProcess {
  return fork(GUARD, [JSON.stringify(job)], { detached: true, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
}

async function ready(guard: ChildProcess): Promise<Extract<FromGuard, { ready: unknown }>['ready']> {
  const ended = once(guard, 'exit').then(() => [{ error: 'the guard of the restore has ended' }]);
  const [said] = (await Promise.race([once(guard, 'message'), ended])) as [FromGuard];
  if ('error' in said) throw new Error(said.error);
  return said.ready;
}

function say(guard: ChildProcess, message: ToGuard): Promise<void> {
  return new Promise((done) => guard.send(message, () => done()));
}
