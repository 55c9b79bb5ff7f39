/** All that a node does about checkpoints, built together. */
import { join } from 'node:path';
import type { ChainId } from '../../blocks/types.ts';
import type { RestoreHere } from '../../peers/types.ts';
import type { Config } from '../config/config.ts';
import type { Containerd } from '../containerd/containerd.ts';
import type { ErofsMounts } from '../erofs-mounts.ts';
import type { Gate } from '../gate.ts';
import type { Peering } from '../peering.ts';
import type { LayerRecords } from '../records.ts';
import type { Stores } from '../stores.ts';
import { createCheckpoints } from './checkpoints.ts';
import { createContainers } from './containers.ts';
import { type CheckpointControl, createCheckpointControl } from './control.ts';
import { createFallBack } from './fallback.ts';
import { createRestores, type Restores } from './restores.ts';
import { createRestoring } from './restoring.ts';
import { createShimHandlers } from './shim-handlers.ts';
import { listenShim } from './shim-server.ts';
import { openStaging } from './staging.ts';

interface Parts {
  config: Config;
  stores: Pick<Stores, 'directories' | 'blocks' | 'volumes'>;
  records: LayerRecords;
  peering: Peering;
  containerd: Containerd;
  mounts: ErofsMounts;
  gate: Gate;
  /** The volumes of restores under way have changed. */
  onChange: () => void;
  log: Parameters<typeof createCheckpoints>[0]['log'];
}

export interface CheckpointParts {
  control: CheckpointControl;
  /** Layers that checkpoints need. */
  layers: () => Promise<ReadonlySet<ChainId>>;
  restores: Restores;
  /** For neighbours who want a container here. */
  restoreHere: RestoreHere;
  stop(): Promise<void>;
}

/** Guards of restores under way come back within a second of this process's start; mounts that none has asked for by then are left over. */
const SWEEP_MS = 20_000;

/** Resolves once the shim's socket listens. */
export async function startCheckpoints(parts: Parts): Promise<CheckpointParts> {
  const { config, stores, records, peering, containerd, mounts, gate, onChange, log } = parts;
  const { blocks, volumes, directories } = stores;
  const { member } = peering;
  const checkpoints = createCheckpoints({
    ...directories,
    compression: config.ingest.compression,
    staging: await openStaging(config.root, config.run),
    blocks,
    volumes,
    gate,
    mounts,
    records,
    member,
    log,
  });
  peering.onJoin(
    () => void checkpoints.resume().catch((err) => log.error({ err }, 'staged dumps cannot be read')),
  );
  const containers = createContainers({
    containerd,
    records,
    volumes,
    neighbours: peering,
    root: config.root,
    run: config.run,
  });
  const restores = createRestores({
    checkpoints,
    fallBack: createFallBack({ checkpoints, containers, containerd, log }),
    neighbours: peering,
    layers: records,
    blocks,
    mounts,
    onChange,
    log,
  });
  const handlers = createShimHandlers({
    checkpoints,
    restores,
    containerd,
    records,
    config: config.checkpoint,
    node: () => member()?.name ?? '',
    log,
  });
  const server = await listenShim(join(config.run, 'shim.sock'), handlers, log);
  const sweep = async () => {
    try {
      const mounts = await restores.sweep();
      if (mounts > 0) log.info({ mounts }, 'mounts that nobody uses any longer have ended');
    } catch (err) {
      log.error({ err }, 'a mount that nobody uses any longer is left');
    }
  };
  const sweeping = setInterval(sweep, SWEEP_MS);
  const restoreHere = createRestoring({
    containers,
    neighbours: peering,
    checkpoints,
    restores,
    blocks,
    volumes,
    log,
  });
  const control = createCheckpointControl({ checkpoints, restoreHere, member, blocks, volumes, gate });
  return {
    control,
    layers: () => checkpoints.layers(),
    restoreHere,
    restores,
    async stop() {
      clearInterval(sweeping);
      server.close();
      await checkpoints.stop();
    },
  };
}
