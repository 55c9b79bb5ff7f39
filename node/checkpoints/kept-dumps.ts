/**
 * Dumps that stay for a while after their checkpoint was made, where the next one of the same container is expected soon: what has not changed since is
 * found by comparing with it. They are copies of what the store has: one that is gone costs time only, and what a killed process leaves, the next
 * start removes.
 */
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Staging } from './staging.ts';

export interface KeptDumps {
  /** Of a checkpoint that was made. */
  keep(id: string, directory: string): Promise<void>;
  /** CRIU's images of the checkpoint; undefined: they are gone. */
  imagesOf(id: string): string | undefined;
  forget(id: string): Promise<void>;
  stop(): void;
}

/** In it, a first checkpoint is brought to another node. */
const KEPT_MS = 10 * 60_000;

export function createKeptDumps(staging: Pick<Staging, 'remove' | 'untake'>, log: Logger): KeptDumps {
  const kept = new Map<string, { directory: string; timer: NodeJS.Timeout }>();

  async function forget(id: string): Promise<void> {
    const dump = kept.get(id);
    if (!dump) return;
    kept.delete(id);
    clearTimeout(dump.timer);
    await staging.remove(dump.directory);
  }

  return {
    async keep(id, directory) {
      await staging.untake(directory);
      const late = () => forget(id).catch((err) => log.warn({ err, directory }, 'a dump cannot be removed'));
      kept.set(id, { directory, timer: setTimeout(late, KEPT_MS).unref() });
    },
    imagesOf(id) {
      const dump = kept.get(id);
      return dump && join(dump.directory, 'images');
    },
    forget,
    stop() {
      for (const { timer } of kept.values()) clearTimeout(timer);
    },
  };
}
