/**
 * The snapshotter alone on a unix socket, for containerd's conformance suite: no volumes, no neighbours, just
 * directories and overlay mounts.
 *
 *     node hack/conformance.d/server.ts FOLDER     serves at FOLDER/snapshotter.sock, says "ready", ends with its standard input
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import pino from 'pino';
import { listenUnix } from '../../node/unix-server.ts';
import { MemoryLayers } from '../../snapshotter/memory-layers.ts';
import type { SnapshotRecord } from '../../snapshotter/record.ts';
import { createSnapshotServer } from '../../snapshotter/server.ts';
import { openSnapshotter } from '../../snapshotter/snapshots.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: server.ts FOLDER');

const logger = pino({ level: 'warn' }, pino.destination(2));
const db = open({ path: join(folder, 'db') });
const snapshotter = await openSnapshotter({
  db: db.openDB<SnapshotRecord, number>({ name: 'snapshots' }),
  rootDirectory: folder,
  runDirectory: folder,
  layers: new MemoryLayers(join(folder, 'm')),
  bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
  logger,
});
const server = createSnapshotServer(snapshotter, logger);
await listenUnix(server, join(folder, 'snapshotter.sock'));
console.log('ready');

process.stdin.resume().once('end', async () => {
  server.forceShutdown();
  await snapshotter.close();
  await db.close();
});
