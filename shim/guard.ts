/**
 * Stands by a container that is being restored, until all of its memory is here: holds the connection to the node, and with it the mounts; runs
 * CRIU's lazy-pages daemon, and copies of its userfaultfds. A daemon that ends before it is done (a page that the cluster could not
 * supply in time, a crash) takes the container with it: it is killed, never given zeros, and its checkpoint stays.
 *
 * What it begins it ends: when the restore fails, or nobody has waited for it, all that was started is ended.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { criuErrors } from './criu-log.ts';
import { faultsIn } from './fault-log.ts';
import { NodeError, NodeLink } from './node-link.ts';
import type { Answer, ContainerFacts, Reference, Request } from './protocol.ts';
import { runcOn } from './runc.ts';
import { touchedPages } from './touched.ts';
import { UffdCopies } from './uffd-copies.ts';

export interface GuardJob {
  reference: Reference;
  container: ContainerFacts;
  /** Of runc and CRIU: the daemon's socket is there. */
  workPath: string;
}

export type Prepared = Extract<Answer, { restore: unknown }>['restore'];

const CRIU = process.env.FORAGE_CRIU || 'criu';
const LOG = 'lazy-pages.log';
const SOCKET_MAX_MS = 10_000;
/** Looks for new userfaultfds: while runc restores, and afterwards, when none can come any more but of a fork. */
const LOOK_MS = 2;
const LOOK_LATER_MS = 100;
const RECONNECT_MS = 500;
/** What a container touches in this time after it was restored, it will touch when it is restored again. */
const WATCH_MS = 5000;

export interface Parent {
  /** The volumes are mounted, and the memory is served. */
  ready(prepared: Prepared): void;
  /** How runc's restore has ended; `failed` also when nobody has waited for it. */
  outcome: Promise<'restored' | 'failed'>;
}

/** Resolves when the container needs it no longer. Rejects with NodeError, or when the daemon does not start. */
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
  if ((await parent.outcome) === 'failed') {
    await endContainer(job.container);
    return;
  }
  await keeper.tell({ do: 'event', event: 'running' });
  await keeper.tell({ do: 'event', event: 'complete' });
}

async function lazily(job: GuardJob, keeper: NodeKeeper, parent: Parent): Promise<void> {
  const daemon = await startDaemon(keeper.prepared.images, job.workPath);
  const ended = once(daemon, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const watching = new AbortController();
  const state = { isRestored: false };
  const watch = keepCopies(daemon.pid!, state, watching.signal);
  parent.ready(keeper.prepared);
  const outcome = await parent.outcome;
  if (outcome === 'failed') {
    daemon.kill('SIGKILL');
    await ended;
    await endContainer(job.container);
  } else {
    state.isRestored = true;
    await keeper.tell({ do: 'event', event: 'running' });
    const told = Promise.race([ended, sleep(WATCH_MS)]).then(() => tellTouched(job, keeper));
    const [code, signal] = await ended;
    await told;
    if (code === 0) await keeper.tell({ do: 'event', event: 'complete' });
    else await killed(job, keeper, signal ?? `status ${code}`);
  }
  watching.abort();
  await watch;
  await rm(join(job.workPath, 'lazy-pages.socket'), { force: true });
}

/** A restore goes on without it. */
async function tellTouched({ workPath }: GuardJob, keeper: NodeKeeper): Promise<void> {
  try {
    const faults = faultsIn(await readFile(join(workPath, LOG), 'utf8'));
    const pages = await touchedPages(keeper.prepared.images, faults);
    if (pages.length > 0) await keeper.tell({ do: 'touched', pages });
  } catch {
    // Images of which the cluster could not supply the maps: the daemon says so itself.
  }
}

async function killed(job: GuardJob, keeper: NodeKeeper, how: string): Promise<void> {
  await endContainer(job.container);
  const reason = `the lazy-pages daemon ended with ${how}: ${lastWords(job.workPath)}`;
  await keeper.tell({ do: 'event', event: 'killed', reason: reason.slice(0, 4000) });
}

/** Resolves once it listens. */
async function startDaemon(images: string, workPath: string): Promise<ChildProcess> {
  const socket = join(workPath, 'lazy-pages.socket');
  await rm(socket, { force: true });
  const daemon = spawn(CRIU, ['lazy-pages', '-v4', '-D', images, '-W', workPath, '-o', LOG], {
    stdio: 'ignore',
  });
  const failed = once(daemon, 'error').then(([error]) => error as Error);
  let problem: Error | undefined;
  void failed.then((error) => {
    problem = error;
  });
  const deadlineMs = performance.now() + SOCKET_MAX_MS;
  while (!existsSync(socket)) {
    if (problem) throw problem;
    if (daemon.exitCode !== null || performance.now() > deadlineMs) {
      daemon.kill('SIGKILL');
      throw new Error(`CRIU's lazy-pages daemon does not start: ${lastWords(workPath)}`);
    }
    await sleep(LOOK_MS);
  }
  return daemon;
}

async function keepCopies(pid: number, state: { isRestored: boolean }, signal: AbortSignal): Promise<void> {
  const copies = new UffdCopies(pid);
  while (!signal.aborted) {
    copies.take();
    await sleep(state.isRestored ? LOOK_LATER_MS : LOOK_MS, undefined, { signal }).catch(() => {});
  }
}

/** All of its processes, also those that wait for a page. Its state goes with containerd's delete. */
async function endContainer({ root, id }: ContainerFacts): Promise<void> {
  await runcOn(root, 'kill', '--all', id, 'KILL').catch(() => {});
}

function lastWords(workPath: string): string {
  return criuErrors(join(workPath, LOG)) || 'its log gives no reason';
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
