/**
 * This node's way into the cluster. It needs an identity; a node whose certificate is missing, or not valid yet because its
 * clock is wrong after a boot, works alone, tries again, and joins as soon as it can.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type IdentityFiles, loadIdentity } from '../peers/identity/identity.ts';
import type { Neighbours } from '../peers/types.ts';
import { type ClusterMember, joinCluster, type MemberOptions } from './member.ts';

const RETRY_MS = 10_000;

export interface PeeringOptions extends MemberOptions {
  identity: IdentityFiles;
  log: Logger;
}

export interface Peering extends Neighbours {
  /** This node as a member, once it is one. */
  member(): ClusterMember | undefined;
  /** Called once, when it has become one. */
  onJoin(listener: (member: ClusterMember) => void): void;
  stop(): void;
}

export function startPeering(options: PeeringOptions): Peering {
  const stopping = new AbortController();
  let joined: ClusterMember | undefined;
  const joining = join(options, stopping.signal).then((member) => {
    if (stopping.signal.aborted) member.stop();
    joined = member;
    return member;
  });
  joining.catch(() => {}); // only a stop ends it; whoever waits is told by `want`

  return {
    member: () => joined,
    onJoin: (listener) => void joining.then(listener, () => {}),
    findLayer: async (chainId, timeoutMs) => joined?.neighbours.findLayer(chainId, timeoutMs),
    async fetchVolume(root) {
      if (joined === undefined) throw new Error('this node has no valid certificate yet, so no neighbours');
      return joined.neighbours.fetchVolume(root);
    },
    async want(id, priority, signal, root) {
      const { neighbours } = joined ?? (await Promise.race([joining, bound(options.waitMs, signal)]));
      return neighbours.want(id, priority, signal, root);
    },
    stop() {
      stopping.abort(new Error('the node is stopping'));
      joined?.stop();
    },
  };
}

/** Tries until it has an identity and the ports. */
async function join(
  { identity: files, ...options }: PeeringOptions,
  signal: AbortSignal,
): Promise<ClusterMember> {
  let lastProblem = '';
  for (;;) {
    try {
      return await joinCluster(await loadIdentity(files), options);
    } catch (error) {
      const problem = (error as Error).message;
      if (problem !== lastProblem) options.log.warn(`no neighbours: ${problem}`);
      lastProblem = problem;
    }
    await sleep(RETRY_MS, undefined, { signal, ref: false });
  }
}

/** Rejects after the time, or on abort. */
async function bound(waitMs: number, signal: AbortSignal | undefined): Promise<never> {
  await sleep(waitMs, undefined, { signal, ref: false });
  throw new Error(`no neighbours within ${waitMs / 1000} s: this node has no valid certificate`);
}
