/**
 * Stands by a container that is being restored, until all of its memory is here: holds the connection to the node, and with it the mounts, and
 * serves the memory (pager.ts). A page that the cluster cannot supply in time takes the container with it: it is killed, never given
 * zeros, and its checkpoint stays. So does the death of this process, for which a holder stands by (holder.ts).
 *
 * What it begins it ends: when the restore fails, or nobody has waited for it, all that was started is ended.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { DumpMemory } from './dump-memory.ts';
import { Holder } from './holder.ts';
import { LazySocket } from './lazy-socket.ts';
import { NodeError, NodeLink } from './node-link.ts';
import { Pager } from './pager.ts';
import type { Answer, ContainerFacts, Reference, Request } from './protocol.ts';
import { runcOn } from './runc.ts';
import { touchedPages } from './touched.ts';

export interface GuardJob {
  reference: Reference;
  container: ContainerFacts;
  /** Of runc and CRIU, which looks for a socket there. */
  workPath: string;
}

export type Prepared = Extract<Answer, { restore: unknown }>['restore'];

const RECONNECT_MS = 500;
const KILL_AGAIN_MS = 500;
/** What runc says where there is nothing to kill. */
const IS_GONE = /does not exist|not running|already finished/;
/** What a container touches in this time of its own, it will touch when it is restored again: while it waits for pages, that does not count. */
const WATCH_MS = 5000;
const WATCH_MAX_MS = 120_000;
const WATCH_LOOK_MS = 100;

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
  const keeper = await NodeKeeper.open(job);
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

async function lazily(job: GuardJob, keeper: NodeKeeper, parent: Parent): Promise<void> {
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

/**
 * All of its processes, also those that wait for a page. However long it takes: they must not outlive the guard. The container's state goes
 * with containerd's delete.
 */
async function endContainer({ root, id }: ContainerFacts): Promise<void> {
  for (;;) {
    try {
      return await runcOn(root, 'kill', '--all', id, 'KILL');
    } catch (error) {
      if (IS_GONE.test((error as Error).message)) return;
      await sleep(KILL_AGAIN_MS);
    }
  }
}

/** The connection to the node, made again when the node process restarts: it keeps the mounts. */
class NodeKeeper {
  readonly #job: GuardJob;
  #link: NodeLink;
  #isClosed = false;
  readonly prepared: Prepared;

  private constructor(job: GuardJob, link: NodeLink, prepared: Prepared) {
    this.#job = job;
    this.#link = link;
    this.prepared = prepared;
  }

  /** Rejects with NodeError. */
  static async open(job: GuardJob): Promise<NodeKeeper> {
    const [link, prepared] = await ask(job);
    const keeper = new NodeKeeper(job, link, prepared);
    void keeper.#stay();
    return keeper;
  }

  async #stay(): Promise<void> {
    for (;;) {
      await this.#link.ended();
      if (this.#isClosed) return;
      await sleep(RECONNECT_MS);
      try {
        const [link] = await ask(this.#job);
        this.#link = link;
        if (this.#isClosed) link.close();
      } catch (error) {
        if (!(error instanceof NodeError)) throw error;
      }
    }
  }

  /** What the node does not hear, its log lacks; nothing depends on it. */
  async tell(event: Extract<Request, { do: 'event' | 'touched' }>): Promise<void> {
    await this.#link.ask(event, 'ok').catch(() => {});
  }

  close(): void {
    this.#isClosed = true;
    this.#link.close();
  }
}

async function ask({ reference, container }: GuardJob): Promise<[NodeLink, Prepared]> {
  const link = await NodeLink.open();
  try {
    const { restore } = await link.ask({ do: 'restore', reference, container }, 'restore');
    return [link, restore];
  } catch (error) {
    link.close();
    throw error;
  }
}
