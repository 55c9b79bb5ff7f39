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
import type { ContainerFacts } from './protocol.ts';
import { referenceIn } from './reference.ts';
import { knownFlags, runcAs, runcOn } from './runc.ts';

const DEFAULT_ROOT = '/run/runc';
/** Of the guard: each page that a thread of the container waits for takes a thread, too. */
const READS_AT_ONCE = 64;
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
    if (status === 0) await holds(guard, facts);
    return status;
  } finally {
    if (guard.connected) guard.disconnect();
    guard.unref();
  }
}

function startGuard(job: GuardJob): ChildProcess {
  return fork(GUARD, [JSON.stringify(job)], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, UV_THREADPOOL_SIZE: String(READS_AT_ONCE) },
  });
}

async function ready(guard: ChildProcess): Promise<Extract<FromGuard, { ready: unknown }>['ready']> {
  const said = await heard(guard);
  if ('ready' in said) return said.ready;
  throw new Error('error' in said ? said.error : 'the guard of the restore is not ready');
}

/** A guard that has died before it held the memory leaves a container that would be given zeros. */
async function holds(guard: ChildProcess, { root, id }: ContainerFacts): Promise<void> {
  const said = await heard(guard);
  if ('holds' in said) return;
  await runcOn(root, 'kill', '--all', id, 'KILL').catch(() => {});
  throw new Error('error' in said ? said.error : 'the guard of the restore does not hold its memory');
}

async function heard(guard: ChildProcess): Promise<FromGuard> {
  const gone = { error: 'the guard of the restore has ended' };
  if (!guard.connected) return gone;
  const ended = Promise.race([once(guard, 'exit'), once(guard, 'disconnect')]).then(() => [gone]);
  const [said] = (await Promise.race([once(guard, 'message'), ended])) as [FromGuard];
  return said;
}

function say(guard: ChildProcess, message: ToGuard): Promise<void> {
  return new Promise((done) => guard.send(message, () => done()));
}
