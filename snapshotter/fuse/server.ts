/**
 * The volume server: `node server.ts`, started by holder.sh with the mounted /dev/fuse as descriptor 3 and its settings
 * in the environment. It may be killed at any moment.
 *
 * Exit status 3: the file system was unmounted, the descriptor is of no use any more.
 */
import module from 'node:module';
import { FeedClient } from './feed-client.ts';
import { KernelTransport } from './kernel.ts';
import { createLog } from './log.ts';
import { pathsOf, type Settings, settingsFromEnvironment } from './settings.ts';
import type { Log, Transport } from './types.ts';
import { VolumeFiles } from './volume-files.ts';
import { WaitingReads } from './waiting-reads.ts';

const FUSE_FD = 3;
const EXIT_UNMOUNTED = 3;

async function main(): Promise<void> {
  const log = createLog();
  const settings = settingsFromEnvironment(process.env);
  const paths = pathsOf(settings);
  const files = new VolumeFiles({ ...paths, log });
  const waiting = new WaitingReads(new FeedClient(paths.socket, log), settings.waitSeconds * 1000);
  const transport = await chosenTransport(settings.transport, { ...paths, files, waiting, log });
  const ending = transport.serve();
  // Nobody ends this process but by a signal, so what it compiled would never be kept for the next.
  module.flushCompileCache();
  log.info(`volume server ${process.pid} serves ${paths.mountPoint} (${settings.transport})`);
  await ending;
  log.warning(`${paths.mountPoint} was unmounted`);
  process.exit(EXIT_UNMOUNTED);
}

type Parts = { mountPoint: string; files: VolumeFiles; waiting: WaitingReads; log: Log };

async function chosenTransport(name: Settings['transport'], parts: Parts): Promise<Transport> {
  if (name === 'kernel') return new KernelTransport({ fd: FUSE_FD, ...parts });
  const { NativeTransport } = await import('./native.ts');
  return new NativeTransport(parts);
}

if (import.meta.main) await main();
