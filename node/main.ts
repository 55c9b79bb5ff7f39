/**
 * Builds a node out of its parts. Order: stores, then what fills them, then the sockets that let others in; what a crash
 * left is swept before anybody is let in. Nothing here waits for the network or for containerd.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { FeedServer } from '../snapshotter/fuse/feed-server.ts';
import { layerNameOf } from '../snapshotter/record.ts';
import { createSnapshotServer } from '../snapshotter/server.ts';
import { openSnapshotter } from '../snapshotter/snapshots.ts';
import type { Snapshotter } from '../snapshotter/types.ts';
import { startAdmin } from './admin.ts';
import { type Collector, createCollector } from './collector.ts';
import { createCompletion } from './completion.ts';
import type { Config } from './config/config.ts';
import { holdBlob } from './containerd/blobs.ts';
import { openContainerd } from './containerd/containerd.ts';
import { createDemand } from './demand.ts';
import { openErofsMounts } from './erofs-mounts.ts';
import { createGate } from './gate.ts';
import { createIngester } from './ingester.ts';
import { createInventory } from './inventory.ts';
import { createLayers } from './layers.ts';
import { openLog } from './log.ts';
import { makeVolumeWith } from './make-volume.ts';
import { type Metrics, startMetrics } from './metrics.ts';
import { startPeering } from './peering.ts';
import type { LayerRecords } from './records.ts';
import { openStores } from './stores.ts';
import { listenUnix } from './unix-server.ts';
import { createUses } from './uses.ts';

export interface RunningNode {
  stop(): Promise<void>;
}

/** Resolves once all sockets listen. */
export async function startNode(config: Config): Promise<RunningNode> {
  const log = openLog(config.log.level);
  await mkdir(config.root, { recursive: true, mode: 0o711 });
  await mkdir(config.run, { recursive: true, mode: 0o711 });

  const stores = await openStores(config, log);
  const { blocks, volumes, records } = stores;
  const mounts = await openErofsMounts(config.run);
  const gate = createGate();
  const peering = startPeering({
    identity: config.identity,
    listen: config.peers.listen,
    peers: config.peers.static,
    waitMs: config.fetch.wait_seconds * 1000,
    offer: { layer: (chainId) => records.get(chainId) },
    blocks,
    volumes,
    log,
  });
  const completion = createCompletion({ blocks, volumes, neighbours: peering, logger: log });
  const demand = createDemand(volumes, peering);
  const uses = createUses((roots, left) => {
    for (const root of left) demand.abandon(root);
    if (config.fetch.completion) completion.follow(roots);
  });
  const collector = createCollector({ records, blocks, volumes, mounts, gate });
  const containerd = openContainerd(config.containerd.address);
  let metrics: Metrics | undefined;
  const ingester = config.ingest.enabled
    ? createIngester({
        blobs: {
          hold: (layer, signal) => holdBlob(containerd, layer, signal),
          releaseLeftovers: async (namespaces) => void (await containerd.leases.removeLeftovers(namespaces)),
        },
        makeVolume: makeVolumeWith({ ...stores.directories, compression: config.ingest.compression, blocks }),
        onIngested: (seconds) => metrics?.ingested(seconds),
        records,
        volumes,
        gate,
        logger: log,
      })
    : undefined;
  const layers = createLayers({
    lookupMs: config.fetch.lookup_ms,
    neighbours: peering,
    inUse: uses.set,
    records,
    blocks,
    volumes,
    mounts,
    collector,
    gate,
    ingester,
    logger: log,
  });

  const say = (level: 'info' | 'warn' | 'error') => (message: string) => log[level](message);
  const feed = new FeedServer(demand.bring, { info: say('info'), warning: say('warn'), error: say('error') });
  await feed.listen(join(config.run, 'volumes.sock'));
  const snapshotter = await openSnapshotter({
    db: stores.snapshots,
    rootDirectory: config.root,
    runDirectory: config.run,
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    layers,
    logger: log,
  });
  await dropUnused(snapshotter, records, collector);

  const view = createInventory({
    name: () => peering.name() ?? hostname(),
    version: manifest.version,
    membership: peering.membership,
    transfers: peering.transfers,
    inUse: uses.get,
    blocks,
    volumes,
    records,
    mounts,
    demand,
    ingester,
  });
  metrics = await startMetrics(config.metrics.listen, view, log);
  const admin = await startAdmin(join(config.run, 'admin.sock'), view, log);
  const server = createSnapshotServer(snapshotter, log);
  await listenUnix(server, join(config.run, 'snapshotter.sock'));
  log.info({ version: manifest.version, volumes: view.status().volumes }, 'forage node is ready');

  return {
    async stop() {
      server.forceShutdown();
      await admin.stop();
      await metrics?.stop();
      completion.stop();
      await ingester?.stop();
      await feed.close();
      peering.stop();
      containerd.close();
      await snapshotter.close();
      await stores.close();
    },
  };
}

/** Frees what a crash kept: layers that no snapshot has, indexes without a record, blocks without an index. */
async function dropUnused(
  snapshotter: Snapshotter,
  records: LayerRecords,
  collector: Collector,
): Promise<void> {
  const used = new Set<string>();
  for await (const { name } of snapshotter.list([])) {
    const layer = layerNameOf(name);
    if (layer !== undefined) used.add(layer.chainId);
  }
  const unused = [...records.all()].filter(({ chainId }) => !used.has(chainId));
  for (const { chainId } of unused) await collector.drop(chainId);
  await collector.sweep();
}
