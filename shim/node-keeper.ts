/** A guard's connection to the node, made again when the node process restarts: it keeps the mounts. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeError, NodeLink } from './node-link.ts';
import type { Answer, ContainerFacts, Reference, Request } from './protocol.ts';

export interface Guarded {
  reference: Reference;
  container: ContainerFacts;
  /** Whether its memory may come after it runs, should the node want that. */
  mayBeLazy: boolean;
}

export type Prepared = Extract<Answer, { restore: unknown }>['restore'];

const RECONNECT_MS = 500;

export class NodeKeeper {
  readonly #job: Guarded;
  #link: NodeLink;
  #isClosed = false;
  readonly prepared: Prepared;

  private constructor(job: Guarded, link: NodeLink, prepared: Prepared) {
    this.#job = job;
    this.#link = link;
    this.prepared = prepared;
  }

  /** Rejects with NodeError. */
  static async open(job: Guarded): Promise<NodeKeeper> {
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

async function ask({ reference, container, mayBeLazy }: Guarded): Promise<[NodeLink, Prepared]> {
  const link = await NodeLink.open();
  try {
    const { restore } = await link.ask({ do: 'restore', reference, container }, 'restore');
    return [link, { ...restore, lazy: restore.lazy && mayBeLazy }];
  } catch (error) {
    link.close();
    throw error;
  }
}
