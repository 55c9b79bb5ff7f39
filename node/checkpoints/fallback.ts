/**
 * A container that was moved before all of its memory had, and whose memory does not come, since the node it came from is lost: it begins
 * again from an earlier checkpoint, which was brought here whole. Its label tells which, so this process may have been restarted meanwhile.
 *
 * Order of effects: the killed container goes, then the new one is made under its name. What was written since that checkpoint is in the
 * later one, which stays.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Containerd } from '../containerd/containerd.ts';
import { removeContainer } from '../containerd/restoring.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { ContainerMaker } from './containers.ts';
import { FALLS_BACK_TO } from './facts.ts';

export interface Killed {
  namespace: string;
  id: string;
}

/** undefined: there is nothing to fall back to. `failed`: why it does not run again. */
export type Fallen = { failed: string | undefined } | undefined;

/** Never rejects. */
export type FallBack = (killed: Killed) => Promise<Fallen>;

interface Parts {
  checkpoints: Pick<Checkpoints, 'find' | 'document'>;
  containers: Pick<ContainerMaker, 'make'>;
  containerd: Pick<Containerd, 'containers' | 'leases' | 'snapshots' | 'tasks'>;
  log: Logger;
}

const DEAD_TRIES = 50;
const DEAD_AGAIN_MS = 100;
const DOCUMENT_MAX_MS = 15_000;

export function createFallBack({ checkpoints, containers, containerd, log }: Parts): FallBack {
  /** Whoever was killed is gone in a moment; one that lives was not. */
  async function isDead({ namespace, id }: Killed): Promise<boolean> {
    for (let tries = 0; tries < DEAD_TRIES; tries++) {
      const state = await containerd.tasks.state(namespace, id);
      if (state === undefined || state === 'stopped') return true;
      await sleep(DEAD_AGAIN_MS);
    }
    return false;
  }

  async function again(killed: Killed, checkpoint: string): Promise<void> {
    const { namespace, id } = killed;
    const signal = AbortSignal.timeout(DOCUMENT_MAX_MS);
    const held = await checkpoints.find(checkpoint, signal);
    const document = await checkpoints.document(held, signal);
    if (!(await isDead(killed))) throw new Error(`container ${id} runs still`);
    const container = await containerd.containers.get(namespace, id);
    if (container) await removeContainer(containerd, namespace, container);
    const never = new AbortController().signal;
    await containers.make(held.content, document, { namespace, id, fallback: '' }, {}, never);
  }

  return async function fallBack(killed) {
    const { id, namespace } = killed;
    const container = await containerd.containers.get(namespace, id).catch(() => undefined);
    const checkpoint = container?.labels[FALLS_BACK_TO];
    if (!checkpoint) return undefined;
    const fields = { container: id, checkpoint };
    try {
      await again(killed, checkpoint);
      log.warn(fields, 'a container whose memory did not come has begun again from an earlier checkpoint');
      return { failed: undefined };
    } catch (error) {
      log.error({ ...fields, err: error }, 'a container whose memory did not come could not begin again');
      return {
        failed: `it could not begin again from checkpoint ${checkpoint}: ${(error as Error).message}`,
      };
    }
  };
}
