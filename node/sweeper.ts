/** Calls the collector's sweep: after the start, once the cluster is there to be asked, and now and then. */
import type { Logger } from 'pino';
import type { Collector } from './collector.ts';
import type { Peering } from './peering.ts';

const EVERY_MS = 60 * 60_000;

export interface Sweeper {
  stop(): void;
}

export function startSweeper(collector: Collector, peering: Pick<Peering, 'onJoin'>, log: Logger): Sweeper {
  async function sweep(): Promise<void> {
    try {
      const swept = await collector.sweep();
      if (swept.volumes + swept.blocks > 0) log.info(swept, 'leftovers removed');
    } catch (error) {
      log.error({ err: error }, 'leftovers could not be removed; tried again later');
    }
  }
  void sweep();
  peering.onJoin(() => void sweep());
  const timer = setInterval(() => void sweep(), EVERY_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
