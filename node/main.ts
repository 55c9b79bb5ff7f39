/**
 * Builds a node out of its parts. Order: stores, then what fills them, then the sockets that let others in; what a crash
 * left is swept before anybody is let in. Nothing here waits for the network or for containerd.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BlockId, Root } from '../blocks/types.ts';
import manifest from '../package.json' with { type: 'json' };
import { parseTrust } from '../peers/directory/trust.ts';
import { FeedServer } from '../snapshotter/fuse/feed-server.ts';
import { layerNameOf } from '../snapshotter/record.ts';
import { createSnapshotServer } from '../snapshotter/server.ts';
import { openSnapshotter } from '../snapshotter/snapshots.ts';
import type { Snapshotter } from '../snapshotter/types.ts';
import { startAdmin } from './admin.ts';
import { createAnnouncer } from './announcer.ts';
import { notYet } from './checkpoints/restoring.ts';
import { type CheckpointParts, startCheckpoints } from './checkpoints/start.ts';
import { createControl } from './cluster.ts';
import { type Collector, createCollector } from './collector.ts';
import { createCompletion } from './completion.ts';
import type { Config } from './config/config.ts';
import { holdAnywhere, holdBlob } from './containerd/blobs.ts';
import { openContainerd } from './containerd/containerd.ts';
import { createDemand } from './demand.ts';
import { openErofsMounts } from './erofs-mounts.ts';
import { createGate } from './gate.ts';
import { createHoldings, diskBytes } from './holdings.ts';
import { type Images, startImages } from './images.ts';
import { createInUse } from './in-use.ts';
import { createIngester } from './ingester.ts';
import { createInventory } from './inventory.ts';
import { createKeeping } from './keeping.ts';
import { createLayers } from './layers.ts';
import { createLimits } from './limits.ts';
import { openLog } from './log.ts';
import { makeVolumeWith } from './make-volume.ts';
import { type Metrics, startMetrics } from './metrics.ts';
import { startPeering } from './peering.ts';
import { type LayerRecords, watched } from './records.ts';
import { openStores } from './stores.ts';
import { startSweeper } from './sweeper.ts';
import { listenUnix } from './unix-server.ts';
import { createUses } from './uses.ts';
import { createVerify } from './verify.ts';

export interface RunningNode {
  stop(): Promise<void>;
}

/** Resolves once all sockets listen. */
export async function startNode(config: Config): Promise<RunningNode> {
  const log = openLog(config.log.level);
  await mkdir(config.root, { recursive: true, mode: 0o711 });
  await mkdir(config.run, { recursive: true, mode: 0o711 });

  const onLost = (id: BlockId) => peering.member()?.lost(id);
  const stores = await openStores({ root: config.root, onLost }, log);
  const { blocks, volumes, marks } = stores;
  const mounts = await openErofsMounts(config.run);
  const gate = createGate();
  const records = watched(stores.records, {
    written: (record) => {
      inUse.changed();
      announcer.written(record);
      images?.look();
    },
    removed: (record) => {
      announcer.removed(record);
      inUse.changed();
      images?.look();
    },
  });
  const announcer = createAnnouncer({
    member: () => peering.member(),
    records: stores.records,
    copyAfterMs: 2000,
    log,
  });
  let checkpointing: CheckpointParts | undefined;
  const whole = () =>
    new Set<Root>([
      ...(config.fetch.completion ? uses.get() : []),
      ...(checkpointing?.restores.inUse() ?? []),
    ]);
  const onChange = () => peering.member()?.custody.custodian.changed();
  const inUse = createInUse({ records, volumes, gate, whole, onChange, logger: log, gatherMs: 1000 });
  const limits = createLimits(config.cache, () => marks.has('draining'));
  const peering = startPeering({
    ...config.peers,
    identity: config.identity,
    goneAfterMs: config.peers.grace_seconds * 1000,
    replicas: config.replicas,
    trust: parseTrust(config.trust),
    capacityBytes: () => (marks.has('draining') ? 0 : config.cache.capacity_bytes || diskBytes(config.root)),
    limits: limits.now,
    waitMs: config.fetch.wait_seconds * 1000,
    directoryStore: stores.directory,
    lastMembers: stores.lastMembers,
    pins: stores.pins,
    holdings: createHoldings(config.root, blocks, inUse),
    restore: (order, signal) => checkpointing?.restoreHere(order, signal) ?? notYet(),
    records,
    blocks,
    volumes,
    gate,
    log,
  });
  const completion = createCompletion({
    blocks,
    volumes,
    neighbours: peering,
    waits: () => checkpointing?.restores.isBringing() ?? false,
    logger: log,
  });
  const demand = createDemand(volumes, peering);
  const uses = createUses((roots, left) => {
    inUse.changed();
    for (const root of left) demand.abandon(root);
    if (config.fetch.completion) completion.follow(roots);
  });
  const keeping = createKeeping(peering.member, stores.directory);
  const onDropped = () => peering.member()?.custody.custodian.changed();
  const collector = createCollector({ records, blocks, volumes, mounts, gate, keeping, onDropped });
  const containerd = openContainerd(config.containerd.address);
  let metrics: Metrics | undefined;
  let images: Images | undefined;
  peering.onJoin(async (member) => {
    const { listen } = config.mirror;
    const dropBlobs = config.ingest.drop_blobs;
    images = await startImages({ member, containerd, blocks, volumes, records, listen, dropBlobs, log });
  });
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
    onOffer: () => images?.look(),
    records,
    blocks,
    volumes,
    mounts,
    collector,
    gate,
    ingester,
    logger: log,
  });

  checkpointing = await startCheckpoints({
    onChange: () => inUse.changed(),
    config,
    stores,
    records,
    peering,
    containerd,
    mounts,
    gate,
    log,
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
  const sweeper = startSweeper(collector, peering, log);

  const view = createInventory({
    name: () => peering.member()?.name ?? hostname(),
    version: manifest.version,
    peers: () => peering.member()?.neighbours.peers() ?? [],
    transfers: () => ({
      fetchedBytes: peering.member()?.neighbours.fetchedBytes() ?? 0,
      servedBytes: peering.member()?.servedBytes() ?? 0,
    }),
    custody: () => peering.member()?.custody.custodian.totals(),
    inUse: uses.get,
    blocks,
    volumes,
    records,
    mounts,
    demand,
    ingester,
  });
  const control = createControl({
    member: peering.member,
    trust: parseTrust(config.trust),
    verify: createVerify({
      tempDir: stores.directories.tempDir,
      compression: config.ingest.compression,
      hold: (layer, signal) => holdAnywhere(containerd, layer, signal),
    }),
    sleep,
    blocks,
    volumes,
    collector,
    inUse,
    limits,
    marks,
    checkpointLayers: checkpointing.layers,
  });
  metrics = await startMetrics(config.metrics.listen, view, log);
  const admin = await startAdmin(
    join(config.run, 'admin.sock'),
    view,
    { ...control, ...checkpointing.control },
    log,
  );
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
      sweeper.stop();
      await images?.stop();
      await checkpointing?.stop();
      announcer.stop();
      // Who has given everything away does not come back soon: the others need not wait for it.
      if (marks.has('draining')) await peering.member()?.membership.leave();
      peering.stop();
      containerd.close();
      await snapshotter.close();
      await stores.close();
    },
  };
}

/** Frees layers that no snapshot has, which a crash kept. */
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
}
