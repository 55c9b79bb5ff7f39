/**
 * Tells the cluster which layers this node has. What it has made itself is news, and told at once. A copy is none to whoever gave it: it is told
 * once the container or the pull that it was fetched for has gone on, since every node that hears of it checks and stores what it hears. What a crash
 * keeps from being told is told at the next start (member.ts).
 */
import type { Logger } from 'pino';
import type { LayerRecord } from '../blocks/types.ts';
import { isWritable } from './checkpoints/writable.ts';
import type { ClusterMember } from './member.ts';
import type { LayerRecords, RecordEvents } from './records.ts';

interface Parts {
  /** undefined before this node has joined a cluster. */
  member: () => Pick<ClusterMember, 'announce' | 'retract'> | undefined;
  records: Pick<LayerRecords, 'get'>;
  /** How long after a copy was fetched. */
  copyAfterMs: number;
  log: Pick<Logger, 'error'>;
}

export interface Announcer extends RecordEvents {
  stop(): void;
}

export function createAnnouncer({ member, records, copyAfterMs, log }: Parts): Announcer {
  const waiting = new Set<NodeJS.Timeout>();
  const unsaid = (err: unknown) => log.error({ err }, 'a layer could not be told to the cluster');

  function announce(record: LayerRecord): void {
    void member()?.announce(record).catch(unsaid);
  }

  return {
    written(record) {
      if (record.origin !== 'copied') return announce(record);
      const timer = setTimeout(() => {
        waiting.delete(timer);
        // It may have gone meanwhile.
        if (records.get(record.chainId)?.root === record.root) announce(record);
      }, copyAfterMs).unref();
      waiting.add(timer);
    },
    removed(record) {
      // Of an image's layer the cluster keeps what it has; of what a container wrote, only as long as somebody uses it.
      if (isWritable(record)) void member()?.retract(record).catch(unsaid);
    },
    stop() {
      for (const timer of waiting) clearTimeout(timer);
      waiting.clear();
    },
  };
}
