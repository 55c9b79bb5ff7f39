/** `forage node`: the node process under systemd, from ready to stopped. */
import { once } from 'node:events';
import { loadConfig } from '../node/config/config.ts';
import { feedWatchdog, notify } from '../node/notify.ts';
import { settle } from '../node/settle.ts';

export async function runNode(configFile: string): Promise<void> {
  const config = await loadConfig(configFile);
  const ended = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const { startNode } = await import('../node/main.ts');
  const node = await startNode(config);
  notify('READY=1');
  settle();
  const stopWatchdog = feedWatchdog();
  await ended;
  notify('STOPPING=1');
  stopWatchdog();
  await node.stop();
  // A call to a containerd or a neighbour that is away may still hold the event loop.
  process.exit(0);
}
