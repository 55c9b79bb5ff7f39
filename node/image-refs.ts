/**
 * Tells the cluster which images this node has: a ref record for each name in containerd whose layers all are volumes here.
 *
 * Order of effects: the image's small objects are blocks and durable, then the record that names them is published. Nothing
 * that is published already is read again in this process; a later process finds that the record says the same. A removal
 * makes this node tell again what its containerd still has: an image ends in the cluster when no node uses it.
 *
 * Not every new name comes with a new layer (a tag, a pull of what is here already), so it also looks from time to time.
 */
import type { BlockStore } from '../blocks/types.ts';
import { type Clock, realClock } from '../peers/clock.ts';
import type { Directory } from '../peers/directory/directory.ts';
import type { Log } from '../peers/types.ts';
import { type Containerd, ContainerdError } from './containerd/containerd.ts';
import { ownPlatform } from './containerd/oci.ts';
import { imagesToTell, type NamespacedImage } from './image-refs-names.ts';
import { storeObject } from './image-refs-object.ts';
import { type ReadImage, type ReadObject, readImage } from './image-refs-read.ts';
import type { LayerRecords } from './records.ts';

/** A pull commits its layers one after the other: looked is when none came for this long ... */
const QUIET_MS = 2000;
/** ... or for this long after the first of them, however many follow. */
const QUIET_WAIT_MAX_MS = 30_000;
const LOOK_EVERY_MS = 5 * 60_000;
/** After an error of containerd; while it is away, it is waited for. */
const RETRY_MS = 10_000;

export interface ImageRefsParts {
  containerd: Pick<Containerd, 'content' | 'images' | 'namespaces' | 'ready'>;
  blocks: Pick<BlockStore, 'has' | 'put' | 'sync'>;
  directory: Pick<Directory, 'publish' | 'onAdd'>;
  records: Pick<LayerRecords, 'get'>;
  log: Log;
  clock?: Clock;
}

export interface ImageRefs {
  /** Something has happened to a layer or an image here: containerd is asked for its images once that is over. */
  look(): void;
  /** All names that containerd had when it was last asked, in whatever namespace; also those that the cluster is not told. */
  inContainerd(): ReadonlySet<string>;
  stop(): Promise<void>;
}

/** `told`: published by this process. `failed`: to be tried again, but was warned of. */
type Outcome = 'told' | 'failed';

/** Looks for the first time at once. */
export function createImageRefs(parts: ImageRefsParts): ImageRefs {
  const { containerd, blocks, directory, records, log, clock = realClock } = parts;
  const platform = ownPlatform();
  const stopping = new AbortController();
  const { signal } = stopping;
  /** What became of the images that containerd has, by name and digest. Those not in it are looked at again. */
  let outcomes = new Map<string, Outcome>();
  let names: ReadonlySet<string> = new Set();
  let cancelTimer = () => {};
  let running: Promise<void> | undefined;
  /** When the first request came that no look has answered yet. */
  let askedAtMs: number | undefined;

  async function listAll(): Promise<NamespacedImage[]> {
    const all: NamespacedImage[] = [];
    for (const namespace of await containerd.namespaces.list(signal)) {
      const images = await containerd.images.list(namespace, [], signal);
      all.push(...images.map((image) => ({ ...image, namespace })));
    }
    return all;
  }

  const store = ({ bytes, ...descriptor }: ReadObject) => storeObject(blocks, descriptor, bytes);

  async function publish(image: string, { index, manifest, config, chainIds }: ReadImage): Promise<void> {
    const ref = {
      image,
      chainIds,
      manifest: await store(manifest),
      config: await store(config),
      index: index && (await store(index)),
    };
    await blocks.sync();
    await directory.publish('ref', ref);
    log.debug({ image, manifest: manifest.digest }, 'the cluster knows the image');
  }

  async function tell(
    { namespace, name, target }: NamespacedImage,
    before: Outcome | undefined,
  ): Promise<Outcome | undefined> {
    const hasLayer = (chainId: string) => records.get(chainId) !== undefined;
    try {
      const from = { content: containerd.content, namespace, platform, hasLayer, signal };
      const image = await readImage(from, target);
      if (image === undefined) return undefined;
      await publish(name, image);
      return 'told';
    } catch (error) {
      if (signal.aborted || isAway(error)) throw error;
      const level = before === 'failed' ? 'debug' : 'warn';
      log[level]({ image: name, namespace, err: error }, 'the cluster is not told of an image');
      return 'failed';
    }
  }

  async function lookNow(): Promise<void> {
    await containerd.ready(signal);
    const images = await listAll();
    names = new Set(images.map(({ name }) => name));
    const before = outcomes;
    // A removal that comes meanwhile puts another map in its place, and what is found now is forgotten.
    const found = new Map<string, Outcome>();
    outcomes = found;
    for (const image of imagesToTell(images)) {
      const key = `${image.name} ${image.target.digest}`;
      const last = before.get(key);
      const outcome = last === 'told' ? last : await tell(image, last);
      if (outcome !== undefined) found.set(key, outcome);
    }
  }

  async function run(): Promise<void> {
    askedAtMs = undefined;
    let nextMs = LOOK_EVERY_MS;
    try {
      await lookNow();
    } catch (error) {
      nextMs = RETRY_MS;
      if (!signal.aborted && !isAway(error))
        log.warn({ err: error }, "containerd's images could not be read; tried again");
    } finally {
      running = undefined;
    }
    if (askedAtMs === undefined) lookAfter(nextMs);
    else lookSoon();
  }

  function lookAfter(ms: number): void {
    cancelTimer();
    if (signal.aborted) return;
    cancelTimer = clock.after(ms, () => {
      running ??= run();
    });
  }

  function lookSoon(): void {
    askedAtMs ??= clock.now();
    const leftMs = askedAtMs + QUIET_WAIT_MAX_MS - clock.now();
    if (running === undefined) lookAfter(Math.max(0, Math.min(QUIET_MS, leftMs)));
  }

  const endListening = directory.onAdd(({ kind }) => {
    if (kind !== 'removal') return;
    outcomes = new Map();
    lookSoon();
  });
  lookAfter(0);

  return {
    look: lookSoon,
    inContainerd: () => names,
    async stop() {
      stopping.abort();
      endListening();
      cancelTimer();
      await running;
    },
  };
}

function isAway(error: unknown): boolean {
  return error instanceof ContainerdError && error.kind === 'unavailable';
}
