/**
 * Stands by a container that is being restored, until all of its memory is here: holds the connection to the node, and with it the mounts, and
 * serves the memory (pager.ts). A page that the cluster cannot supply in time takes the container with it: it is killed, never given
 * zeros, and its checkpoint stays. So does the death of this process, for which a holder stands by (holder.ts).
 *
 * What it begins it ends: when the restore fails, or nobody has waited for it, all that was started is ended.
 */
import { endContainer } from './end-container.ts';
import { type Guarded, NodeKeeper, type Prepared } from './node-keeper.ts';

export interface GuardJob extends Guarded {
  /** Of runc and CRIU, which looks for a socket there. */
  workPath: string;
}

export interface Parent {
  /** The volumes are mounted, and the memory is served. */
  ready(prepared: Prepared): void;
  /** How runc's restore has ended. */
  outcome: Promise<'restored' | 'failed'>;
  /** It is restored, and its memory is held whatever becomes of this process. Answers whether anybody has waited for that. */
  held(): boolean;
}

/** Resolves when the container needs it no longer. Rejects with NodeError, or when the memory cannot be served; then the container is ended. */
export async function guard(job: GuardJob, parent: Parent): Promise<void> {
  const [keeper, { lazily }] = await Promise.all([NodeKeeper.open(job), import('./lazy-guard.ts')]);
  try {
    const { prepared } = keeper;
    if (prepared.lazy) await lazily(job, keeper, parent);
    else await eagerly(job, keeper, parent);
  } finally {
    keeper.close();
  }
}

/** The memory is read by runc itself, from the mounted images. */
async function eagerly(job: GuardJob, keeper: NodeKeeper, parent: Parent): Promise<void> {
  parent.ready(keeper.prepared);
  if ((await parent.outcome) === 'failed' || !parent.held()) {
    await endContainer(job.container);
    return;
  }
  await keeper.tell({ do: 'event', event: 'running' });
  await keeper.tell({ do: 'event', event: 'complete' });
}
