/**
 * Makes a container of a checkpoint, through containerd alone: this process may not run runc. The image's layers are offered to containerd
 * without their bytes, the writable volumes on top of them as further layers, and the task is created from a folder that holds nothing but
 * the reference, which the shim understands.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChainId, Root, VolumeStore } from '../../blocks/types.ts';
import type { Checkpoint } from '../../peers/directory/types.ts';
import type { Neighbours } from '../../peers/types.ts';
import { encodeReference, REFERENCE_FILE } from '../../shim/reference.ts';
import { type Containerd, ContainerdError } from '../containerd/containerd.ts';
import { type NewRestore, offerAhead, restoreContainer } from '../containerd/restoring.ts';
import { RefusedError } from '../control.ts';
import type { LayerRecords } from '../records.ts';
import { placeBoundFiles, sweepBoundFiles } from './bound-files.ts';
import type { CheckpointDocument } from './document.ts';
import { FALLS_BACK_TO, RESTORED_FROM } from './facts.ts';
import { movedSpec, type OciSpec, parseSpec, sharesNetwork } from './spec.ts';
import { writableLayers } from './writable.ts';

const SNAPSHOTTER = 'forage';
const RUNTIME = 'io.containerd.runc.v2';
const FORAGE_RUNC = '/usr/bin/forage-runc';
/** How long an ingest may take; how often the layer is asked for meanwhile (misses are remembered for 2 s). */
const LAYER_MAX_MS = 120_000;
const LAYER_AGAIN_MS = 2100;
const AHEAD_MAX_MS = 2000;
/** From a preparation to the restore: the memory comes in between. */
const AHEAD_KEPT_MS = 10 * 60_000;
/** Of nerdctl: they tell of its own files, which are on the machine that the container comes from. */
const FOREIGN_LABEL = /^nerdctl\//;

export interface NewContainer {
  namespace: string;
  id: string;
  /** The checkpoint that it begins again from, should its memory not come; '': none. */
  fallback: string;
}

interface Parts {
  containerd: Pick<Containerd, 'containers' | 'leases' | 'snapshots' | 'tasks'>;
  records: LayerRecords;
  volumes: Pick<VolumeStore, 'get'>;
  neighbours: Pick<Neighbours, 'fetchVolume' | 'findLayer'>;
  /** Folders of this node. */
  root: string;
  run: string;
}

/** Both reject with RefusedError where this node cannot make the container. */
export interface ContainerMaker {
  /** Brings what the image needs, but for its files, and makes nothing. */
  prepare(
    checkpoint: Checkpoint,
    document: CheckpointDocument,
    as: NewContainer,
    signal: AbortSignal,
  ): Promise<void>;
  /** Resolves once it runs. */
  make(
    checkpoint: Checkpoint,
    document: CheckpointDocument,
    as: NewContainer,
    watcher: Watcher,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Who is told how far it is. */
export interface Watcher {
  tell?(text: string): void;
  /** A volume of the image's layers has its metadata here; containerd has not been offered it yet. */
  layerIsHere?(root: Root): void;
}

export function createContainers(parts: Parts): ContainerMaker {
  const { containerd, records, neighbours, root, run } = parts;
  const { containers } = containerd;
  /** By container, what ends the hold on the layers that a preparation has offered. */
  const ahead = new Map<string, () => Promise<void>>();

  /** Everything that will be asked for one after the other, asked for at once; what cannot be had is said when its turn comes. */
  async function askAhead(checkpoint: Checkpoint, made: Made, { layerIsHere }: Watcher): Promise<void> {
    const layer = async (chainId: ChainId) => {
      const found = records.get(chainId) ?? (await neighbours.findLayer(chainId, AHEAD_MAX_MS));
      if (!found) return;
      await neighbours.fetchVolume(found.root);
      layerIsHere?.(found.root);
    };
    const asked = [neighbours.fetchVolume(checkpoint.memory), ...made.chainIds.map(layer)];
    await Promise.allSettled(asked);
  }

  async function mustBeFree({ namespace, id }: NewContainer, signal: AbortSignal): Promise<void> {
    if (await containers.get(namespace, id, signal))
      throw new RefusedError('invalid', `there is a container ${id} in namespace ${namespace} already`);
  }

  function possible({ id }: Checkpoint, { made }: CheckpointDocument): { made: Made; before: OciSpec } {
    if (!made)
      throw new RefusedError(
        'state',
        `checkpoint ${id} is of a container that containerd did not make; restore it with the tool that made it`,
      );
    const before = parseSpec(made.spec);
    if (sharesNetwork(before))
      throw new RefusedError(
        'state',
        'the container shares the network of its pod or of another container, which forage does not make; a container of a pod is restored over CRI',
      );
    return { made, before };
  }

  /** Small files of the machine it comes from, by where the container sees them. */
  async function place(before: OciSpec, { boundFiles }: Made, as: NewContainer) {
    const bound = join(root, 'bound');
    await sweepBoundFiles(bound, containers);
    return placeBoundFiles(before, boundFiles, join(bound, as.namespace, as.id));
  }

  /** The writable volumes become layers that can be mounted here. Answers their chainIDs, lowest first. */
  async function recordWritable(checkpoint: Checkpoint, made: Made): Promise<ChainId[]> {
    const volumes = await Promise.all(
      checkpoint.volumes.map(async (root) => ({ root, format: (await neighbours.fetchVolume(root)).format })),
    );
    const writable = writableLayers(made.chainIds.at(-1) ?? '', volumes);
    await Promise.all(
      writable.filter(({ chainId }) => !records.get(chainId)).map((record) => records.put(record)),
    );
    return writable.map(({ chainId }) => chainId);
  }

  /** A layer that was pulled a moment ago is a volume a moment later. */
  function waitForLayers({ tell }: Watcher, signal: AbortSignal): NewRestore['onMissing'] {
    const endMs = performance.now() + LAYER_MAX_MS;
    return async (chainId) => {
      if (performance.now() > endMs)
        throw new RefusedError(
          'state',
          `no node of the cluster gives layer ${chainId} of the container's image`,
        );
      tell?.('waiting until a layer of its image is a volume');
      await sleep(LAYER_AGAIN_MS, undefined, { signal });
    };
  }

  /** Until the container is made, or nothing has come of it. */
  function keepAhead(as: NewContainer, lease: { release(): Promise<void> }): void {
    const key = keyOf(as);
    void ahead.get(key)?.();
    const timer = setTimeout(() => void ahead.get(key)?.(), AHEAD_KEPT_MS).unref();
    ahead.set(key, () => {
      clearTimeout(timer);
      ahead.delete(key);
      return lease.release();
    });
  }

  async function make(
    checkpoint: Checkpoint,
    document: CheckpointDocument,
    as: NewContainer,
    watcher: Watcher,
    signal: AbortSignal,
  ): Promise<void> {
    const { made, before } = possible(checkpoint, document);
    void askAhead(checkpoint, made, watcher);
    watcher.tell?.("asking for the image's layers");
    const folder = join(run, 'restores', randomBytes(8).toString('hex'));
    const order = async () => {
      const writable = recordWritable(checkpoint, made);
      writable.catch(() => {}); // it is heard of when their turn comes
      const [placed] = await Promise.all([
        place(before, made, as),
        mustBeFree(as, signal),
        writeReference(folder, checkpoint.id),
      ]);
      const spec = movedSpec(before, document.container.id, as.id, placed);
      watcher.tell?.('restoring');
      return {
        container: containerOf(document.id, made, spec, as),
        chainIds: oneAfterTheOther(made.chainIds, writable),
        imagePath: folder,
        binary: FORAGE_RUNC,
        onMissing: waitForLayers(watcher, signal),
      };
    };
    try {
      await restoreContainer(containerd, as.namespace, order(), signal);
    } catch (error) {
      throw error instanceof ContainerdError ? new RefusedError('state', reason(error)) : error;
    } finally {
      await rm(folder, { recursive: true, force: true });
      void ahead.get(keyOf(as))?.();
    }
  }

  return {
    async prepare(checkpoint, document, as, signal) {
      const { made } = possible(checkpoint, document);
      await mustBeFree(as, signal);
      await askAhead(checkpoint, made, {});
      const layers = {
        chainIds: made.chainIds,
        snapshotter: SNAPSHOTTER,
        onMissing: waitForLayers({}, signal),
      };
      const lease = await offerAhead(containerd, as.namespace, layers, signal);
      keepAhead(as, lease);
    },
    make,
  };
}

function keyOf({ namespace, id }: NewContainer): string {
  return `${namespace} ${id}`;
}

async function* oneAfterTheOther<T>(first: readonly T[], then: Promise<readonly T[]>): AsyncGenerator<T> {
  yield* first;
  yield* await then;
}

/** The only file of the folder that the task is restored from. */
async function writeReference(folder: string, checkpoint: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const nonce = randomBytes(16).toString('hex');
  await writeFile(join(folder, REFERENCE_FILE), encodeReference({ forage: 1, checkpoint, nonce }));
}

type Made = NonNullable<CheckpointDocument['made']>;

function containerOf(
  checkpoint: string,
  made: Made,
  spec: OciSpec,
  as: NewContainer,
): NewRestore['container'] {
  const labels = Object.entries(made.labels).filter(
    ([label]) => !FOREIGN_LABEL.test(label) && label !== FALLS_BACK_TO,
  );
  return {
    id: as.id,
    image: made.image,
    labels: {
      ...Object.fromEntries(labels),
      [RESTORED_FROM]: checkpoint,
      ...(as.fallback !== '' && { [FALLS_BACK_TO]: as.fallback }),
    },
    runtime: {
      name: RUNTIME,
      options: {
        typeUrl: made.runtime.optionsType,
        value: Buffer.from(made.runtime.options, 'base64'),
      },
    },
    spec: Buffer.from(JSON.stringify(spec)),
    snapshotter: SNAPSHOTTER,
  };
}

/** containerd wraps what runc said in what it wanted of it. */
function reason({ message }: ContainerdError): string {
  return message.slice(0, 2000);
}
