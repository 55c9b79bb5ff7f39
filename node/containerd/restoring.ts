/**
 * Restores a checkpoint through containerd alone, as a client that may not run runc itself: as a new container.
 *
 * Order: layers, snapshot, container, task, start; all under a lease, so that containerd's collector takes nothing that is not named yet.
 * What fails on the way is unmade from the top: a container is never taken from under its task, a snapshot never from under its container.
 */
import { randomBytes } from 'node:crypto';
import * as v from 'valibot';
import type { ChainId } from '../../blocks/types.ts';
import { ContainerdError, isContainerdError, type Scope } from './connection.ts';
import type { Containerd } from './containerd.ts';
import type { Container } from './containers.ts';
import { runcOptions } from './runc-options.ts';
import type { SnapshotMount } from './snapshots.ts';

/** The layers of a root file system, as a snapshotter is asked for them. */
export interface OfferedLayers {
  /** Lowest first; those on top may still be on the way while the ones below are offered. */
  chainIds: Iterable<ChainId> | AsyncIterable<ChainId>;
  snapshotter: string;
  /** The snapshotter does not have this layer. Resolves when it is to be asked again, rejects to give up. */
  onMissing: (chainId: ChainId) => Promise<void>;
}

export interface NewRestore extends Omit<OfferedLayers, 'snapshotter'> {
  /** CRIU's images, or what stands for them. Needed until the restore has ended. */
  imagePath: string;
  /** Called instead of runc. */
  binary: string;
  /** Its runtime options: those of the container that was checkpointed. */
  container: Omit<Container, 'snapshotKey'>;
}

type Parts = Pick<Containerd, 'containers' | 'leases' | 'snapshots' | 'tasks'>;

/**
 * `coming`: the order, which may still be worked out while the lease is made. Resolves once it runs. Throws `ContainerdError`, the signal's reason on
 * abort, or what `coming` or `onMissing` throws.
 */
export async function restoreContainer(
  parts: Parts,
  namespace: string,
  coming: Promise<NewRestore>,
  signal: AbortSignal,
): Promise<void> {
  const { containers, leases, snapshots } = parts;
  coming.catch(() => {}); // it is heard of below
  const lease = await leases.create(namespace);
  const scope = { namespace, lease: lease.id };
  try {
    const order = await coming;
    const { id, snapshotter, runtime } = order.container;
    const container: Container = {
      ...order.container,
      runtime: { ...runtime, options: runcOptions(runtime.options, order.binary, '') },
      snapshotKey: `forage-${id}-${randomBytes(8).toString('hex')}`,
    };
    const make = async () => {
      const top = await offerChain(parts, scope, { ...order, snapshotter }, signal);
      signal.throwIfAborted();
      const rootfs = await snapshots.prepare(scope, snapshotter, container.snapshotKey, top);
      signal.throwIfAborted();
      await containers.create(scope, container);
      await startTask(parts, scope, container, rootfs, order, signal);
    };
    await unmadeOnFailure(make, () => removeContainer(parts, scope, container));
  } catch (error) {
    await lease.release();
    throw error;
  }
  // It runs: nobody need wait for this.
  void lease.release();
}

/** Makes the layers known to containerd ahead of a restore: they stay until `release`, or what is made on them goes. */
export async function offerAhead(
  parts: Pick<Parts, 'leases' | 'snapshots'>,
  namespace: string,
  layers: OfferedLayers,
  signal: AbortSignal,
): Promise<{ release(): Promise<void> }> {
  const lease = await parts.leases.create(namespace);
  try {
    await offerChain(parts, { namespace, lease: lease.id }, layers, signal);
    return lease;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** Answers the highest layer. */
async function offerChain(
  { snapshots }: Pick<Parts, 'snapshots'>,
  scope: Scope,
  { chainIds, snapshotter, onMissing }: OfferedLayers,
  signal: AbortSignal,
): Promise<ChainId | ''> {
  let top: ChainId | '' = '';
  for await (const chainId of chainIds) {
    while (!(await snapshots.offer(scope, snapshotter, chainId, top, signal))) {
      await onMissing(chainId);
      signal.throwIfAborted();
    }
    top = chainId;
  }
  return top;
}

async function startTask(
  { tasks }: Parts,
  scope: Scope,
  { id, runtime, spec }: Container,
  rootfs: readonly SnapshotMount[],
  { binary, imagePath }: NewRestore,
  signal: AbortSignal,
): Promise<void> {
  const options = runcOptions(runtime.options, binary, imagePath);
  await tasks.create(scope, { id, rootfs, options, hasTerminal: hasTerminal(spec) }, signal);
  await tasks.start(scope, id, signal);
}

const specSchema = v.object({ process: v.optional(v.object({ terminal: v.optional(v.boolean()) })) });

/** As the OCI runtime specification has it. */
function hasTerminal(spec: Buffer): boolean {
  return v.parse(specSchema, JSON.parse(spec.toString())).process?.terminal ?? false;
}

/** What of it is there: a call that failed may have had its effect. A container of that name that is another's stays. */
export async function removeContainer(
  { containers, snapshots, tasks }: Parts,
  scope: Scope,
  made: Container,
): Promise<void> {
  const { id, snapshotter, snapshotKey } = made;
  if ((await containers.get(scope, id))?.snapshotKey === snapshotKey) {
    await tasks.end(scope, id);
    await containers.delete(scope, id);
  }
  try {
    await snapshots.remove(scope, snapshotter, snapshotKey);
  } catch (error) {
    if (!isContainerdError(error, 'not-found')) throw error;
  }
}

/** Throws what `make` throws; where unmaking fails as well, that is said with it. */
async function unmadeOnFailure(
  make: () => Promise<void>,
  undo: (error: unknown) => Promise<void>,
): Promise<void> {
  try {
    await make();
  } catch (error) {
    await undo(error).catch((left: Error) => {
      const message = `${(error as Error).message}; what was made of it is left: ${left.message}`;
      throw new ContainerdError('failed', message, error);
    });
    throw error;
  }
}
