/**
 * `restore`: where the image path holds a reference, the node mounts the checkpoint's volumes, the guard (guard.ts) in this process serves the
 * memory, what the container had written is applied where it is not there as a lower layer, and runc restores. The standard streams are the
 * container's: nothing is printed, errors go to runc's log.
 *
 * Whoever waits for the restore is told how it has ended, and this process goes on as the guard, with no hold on the container's streams. Nobody
 * to tell: the restore was given up, and the container is ended.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { applyFiles } from './apply.ts';
import { type Arguments, flagValue, globalValue, withFlags, withValue } from './arguments.ts';
import { mayBeLazy, networkOf, prepareRestore } from './bundle.ts';
import { comingContainer } from './container.ts';
import { tellCause } from './criu-log.ts';
import { type GuardJob, guard } from './guard.ts';
import type { Prepared } from './node-keeper.ts';
import { referenceIn } from './reference.ts';
import { knownFlags, runcAs } from './runc.ts';
import type { Waiting } from './waiting.ts';

const DEFAULT_ROOT = '/run/runc';
/** What becomes of TCP connections. */
const [KEEP, CLOSE] = ['--tcp-established', '--tcp-close'];

/** Answers the exit status, at once where there is no reference, or when the guard has nothing more to do. */
export async function restore(args: Arguments, waiting: Waiting): Promise<number> {
  const imagePath = resolve(flagValue(args.flags, 'image-path') ?? 'checkpoint');
  const reference = await referenceIn(imagePath);
  if (!reference) return runcAs(args);
  const id = args.operands[0] ?? '';
  const bundle = resolve(flagValue(args.flags, 'bundle', 'b') ?? '.');
  const { facts, rootfs } = await comingContainer(globalValue(args, 'root') ?? DEFAULT_ROOT, id, bundle);
  const workPath = resolve(flagValue(args.flags, 'work-path') ?? imagePath);
  await mkdir(workPath, { recursive: true, mode: 0o700 });
  const job = { reference, container: facts, workPath, mayBeLazy: await mayBeLazy(bundle) };
  const guarded = beginGuard(job, () => waiting.ended(0));
  try {
    const [prepared, known, { areKeepable }] = await Promise.all([
      guarded.ready,
      knownFlags('restore'),
      import('./connections.ts'),
    ]);
    const { images, files, flags, lazy } = prepared;
    await applyFiles(files, rootfs);
    const closes = flags.includes(CLOSE) || !(await areKeepable(images, await networkOf(bundle)));
    await prepareRestore(bundle, { criu: closes ? ['tcp-close'] : [], workPath });
    const kept = closes ? flags.filter((flag) => flag !== KEEP) : flags;
    const added = lazy ? [...kept, '--lazy-pages'] : kept;
    waiting.begun();
    const status = await runcAs(
      withFlags(withValue(withValue(args, 'image-path', images), 'work-path', workPath), added, known),
    );
    if (status !== 0) tellCause(args, join(workPath, 'restore.log'));
    guarded.end(status === 0 ? 'restored' : 'failed');
    await guarded.over;
    return status;
  } catch (error) {
    guarded.end('failed');
    await guarded.over.catch(() => {});
    throw error;
  }
}

function beginGuard(job: GuardJob, held: () => boolean) {
  const ready = Promise.withResolvers<Prepared>();
  const outcome = Promise.withResolvers<'restored' | 'failed'>();
  const over = guard(job, { ready: ready.resolve, outcome: outcome.promise, held });
  over.catch(ready.reject);
  return { ready: ready.promise, end: outcome.resolve, over };
}
