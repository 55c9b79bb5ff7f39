/**
 * The guard of a container whose memory comes while it runs (guard.ts). Apart from that, since it is large: it is loaded while the node mounts the
 * volumes.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DumpMemory } from './dump-memory.ts';
import { endContainer } from './end-container.ts';
import type { GuardJob, Parent } from './guard.ts';
import { Holder } from './holder.ts';
import { LazySocket } from './lazy-socket.ts';
import type { NodeKeeper } from './node-keeper.ts';
import { Pager } from './pager.ts';
import { touchedPages } from './touched.ts';

/** What a container touches in this time of its own, it will touch when it is restored again: while it waits for pages, that does not count. */
const WATCH_MS = 5000;
const WATCH_MAX_MS = 120_000;
const WATCH_LOOK_MS = 100;

/** Until all of its memory is here. Rejects when it cannot be served; then the container is ended. */
export async function lazily(job: GuardJob, keeper: NodeKeeper, parent: Parent): Promise<void> {
  const socket = LazySocket.listen(job.workPath);
  const holder = new Holder(job.container);
  const { images } = keeper.prepared;
  const pager = new Pager(
    (pid) => DumpMemory.open(images, pid),
    (uffds) => holder.hold(uffds),
  );
  const known = new AbortController();
  const served = pager.serve(socket.handed(known.signal)).then(
    () => undefined,
    (error: Error) => error,
  );
  try {
    parent.ready(keeper.prepared);
    const outcome = await parent.outcome;
    known.abort();
    const early = outcome === 'failed' ? undefined : await Promise.race([pager.held, served]);
    if (early) throw early;
    if (outcome === 'failed' || !parent.held()) {
      await endContainer(job.container);
      return;
    }
    await keeper.tell({ do: 'event', event: 'running' });
    await untilWhole(job, keeper, pager, served);
  } catch (error) {
    await endContainer(job.container);
    throw error;
  } finally {
    // From here on the kernel gives zeros for what is missing: all of it is there, or nobody is.
    await holder.release();
    await pager.close();
    socket.close();
  }
}

async function untilWhole(
  job: GuardJob,
  keeper: NodeKeeper,
  pager: Pager,
  served: Promise<Error | undefined>,
): Promise<void> {
  const over = new AbortController();
  const told = Promise.race([served, watched(pager, over.signal)]).then(() => tellTouched(pager, keeper));
  const error = await served;
  over.abort();
  if (error) await killed(job, keeper, error);
  await told;
  if (!error) await keeper.tell({ do: 'event', event: 'complete' });
}

async function watched(pager: Pager, signal: AbortSignal): Promise<void> {
  for (let ms = 0; ms < WATCH_MAX_MS && pager.ranMs < WATCH_MS && !signal.aborted; ms += WATCH_LOOK_MS)
    await sleep(WATCH_LOOK_MS);
}

/** A restore goes on without it. */
async function tellTouched({ faults }: Pager, keeper: NodeKeeper): Promise<void> {
  try {
    const pages = await touchedPages(keeper.prepared.images, faults);
    if (pages.length > 0) await keeper.tell({ do: 'touched', pages });
  } catch {
    // The maps were read for every fault before this; what cannot be read now, the pager finds out, too.
  }
}

async function killed(job: GuardJob, keeper: NodeKeeper, { message }: Error): Promise<void> {
  await endContainer(job.container);
  const reason = `its memory cannot be had: ${message}`;
  await keeper.tell({ do: 'event', event: 'killed', reason: reason.slice(0, 4000) });
}
