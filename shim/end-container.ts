/** Ends a container whose memory nobody serves any longer. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerFacts } from './protocol.ts';
import { runcOn } from './runc.ts';

const KILL_AGAIN_MS = 500;
/** What runc says where there is nothing to kill. */
const IS_GONE = /does not exist|not running|already finished/;

/**
 * All of its processes, also those that wait for a page. However long it takes: they must not outlive the guard. The container's state goes
 * with containerd's delete.
 */
export async function endContainer({ root, id }: ContainerFacts): Promise<void> {
  for (;;) {
    try {
      return await runcOn(root, 'kill', '--all', id, 'KILL');
    } catch (error) {
      if (IS_GONE.test((error as Error).message)) return;
      await sleep(KILL_AGAIN_MS);
    }
  }
}
