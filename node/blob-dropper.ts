/**
 * Takes layers' compressed blobs out of containerd's content store once the cluster keeps their volumes (option
 * `ingest.drop_blobs`): else a node that has pulled an image has its layers twice.
 *
 * A blob goes from a namespace only when, right before: every layer that this node has made or taken of it still is a volume here, all
 * blocks of these volumes are kept by their owners, and no lease in the namespace holds the blob (a pull, an export or an ingest
 * under way; deleting would take it from them). Blobs are known by the label that only unpacked layers carry, so a manifest
 * or configuration is never among them; containerd frees the file with its next collection. A pull that begins between
 * the look at the leases and the deletion may miss the blob: with this snapshotter it does not need it, with another
 * one it fails, and fetches it when tried again.
 */
import type { DiffId, LayerRecord, Root } from '../blocks/types.ts';
import { type Clock, realClock } from '../peers/clock.ts';
import type { Log } from '../peers/types.ts';
import { type Containerd, ContainerdError } from './containerd/containerd.ts';
import type { LayerRecords } from './records.ts';

/** Owners take some time to fetch what they are to keep, and nothing waits for the space. */
const ROUND_EVERY_MS = 5 * 60_000;

export interface BlobDropperParts {
  containerd: Pick<Containerd, 'content' | 'leases' | 'namespaces'>;
  records: Pick<LayerRecords, 'all' | 'get'>;
  /** Whether every block of this volume is kept by all that are to keep it. A rejection is a no. */
  isPlaced(root: Root): Promise<boolean>;
  log: Log;
  clock?: Clock;
}

export interface BlobDropper {
  stop(): Promise<void>;
}

/** A blob, and the namespaces that have it. */
interface Candidate {
  digest: string;
  sizeBytes: number;
  namespaces: string[];
  layers: readonly LayerRecord[];
}

/** The first round is after ROUND_EVERY_MS. */
export function startBlobDropper(parts: BlobDropperParts): BlobDropper {
  const { clock = realClock, log } = parts;
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let cancelTimer = roundLater();

  function roundLater(): () => void {
    return clock.after(ROUND_EVERY_MS, () => {
      running = round(parts, signal)
        .catch((error: unknown) => {
          if (!signal.aborted && !isAway(error))
            log.warn({ err: error }, "layers' blobs could not be dropped; tried again");
        })
        .finally(() => {
          running = undefined;
          if (!signal.aborted) cancelTimer = roundLater();
        });
    });
  }

  return {
    async stop() {
      stopping.abort();
      cancelTimer();
      await running;
    },
  };
}

async function round(parts: BlobDropperParts, signal: AbortSignal): Promise<void> {
  for (const candidate of await candidates(parts, signal)) {
    if (!(await mayGo(parts, candidate))) continue;
    for (const namespace of candidate.namespaces) {
      signal.throwIfAborted();
      await drop(parts, candidate, namespace);
    }
  }
}

async function candidates(
  { containerd, records }: BlobDropperParts,
  signal: AbortSignal,
): Promise<Candidate[]> {
  const byDiffId: Map<DiffId | '', LayerRecord[]> = Map.groupBy(records.all(), ({ diffId }) => diffId);
  const found = new Map<string, Candidate>();
  for (const namespace of await containerd.namespaces.list(signal)) {
    for (const { digest, diffId, sizeBytes } of await containerd.content.listLayers(namespace, signal)) {
      const layers = byDiffId.get(diffId);
      if (layers === undefined) continue;
      const candidate = found.get(digest) ?? { digest, sizeBytes, namespaces: [], layers };
      candidate.namespaces.push(namespace);
      found.set(digest, candidate);
    }
  }
  return [...found.values()];
}

/** The same layer over different parents has several volumes, all made of this blob. */
async function mayGo({ records, isPlaced }: BlobDropperParts, { layers }: Candidate): Promise<boolean> {
  for (const root of new Set(layers.map((layer) => layer.root))) {
    if (!(await isPlaced(root).catch(() => false))) return false;
  }
  return layers.every(({ chainId, root }) => records.get(chainId)?.root === root);
}

async function drop(
  { containerd, log }: BlobDropperParts,
  { digest, sizeBytes }: Candidate,
  namespace: string,
): Promise<void> {
  const held = await containerd.leases.heldBlobs(namespace);
  if (held.has(digest)) return;
  await containerd.content.delete(namespace, digest);
  log.info({ digest, namespace, sizeBytes }, "a layer's blob was dropped: the cluster keeps its volume");
}

function isAway(error: unknown): boolean {
  return error instanceof ContainerdError && error.kind === 'unavailable';
}
