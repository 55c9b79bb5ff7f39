/**
 * Makes volumes of the layers that this node unpacks, one at a time, in the background.
 *
 * The layer's blob is leased at once, since containerd may drop it as soon as the image is unpacked; the work itself
 * waits until the pull has gone quiet, so that it takes no processor time from the unpacking. Work that a stop or a crash
 * cut off is asked for again by the snapshotter, which knows the layers that are still directories; until it is done, the
 * leases of the earlier process hold the blobs.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { IngestResult } from '../blocks/ingest.ts';
import type { ChainId, DiffId, LayerRecord, VolumeStore } from '../blocks/types.ts';
import type { CommittedLayer } from '../snapshotter/types.ts';
import type { Gate } from './gate.ts';
import type { LayerRecords } from './records.ts';

/** A pull unpacks its layers one after the other: it is over when no other is expected, and none came for this long. */
const QUIET_MS = 1000;
/** A volume is wanted by neighbours, so even an endless pull does not hold ingest up for longer. */
const QUIET_WAIT_MAX_MS = 60_000;

/** A layer's blob, held against containerd's garbage collector. */
export interface HeldBlob {
  diffId: DiffId;
  /** The blob as stored: gzip, zstd or plain tar. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  release(): Promise<void>;
}

/** Where layers' blobs come from: containerd's content store. */
export interface BlobSource {
  /** undefined: containerd has no blob of this layer. */
  hold(layer: CommittedLayer, signal: AbortSignal): Promise<HeldBlob | undefined>;
  /** Lets go of what earlier processes held in these namespaces of containerd. */
  releaseLeftovers(namespaces: Iterable<string>): Promise<void>;
}

/** Turns one layer into a stored, published volume. Rejects when the blob is not what its diffID says. */
export type MakeVolume = (
  layer: CommittedLayer,
  blob: HeldBlob | undefined,
  signal: AbortSignal,
) => Promise<IngestResult>;

/** Layers that wait, that are worked on, and that are over since the start. */
export interface IngestStats {
  queued: number;
  running: number;
  done: number;
  failed: number;
}

export interface Ingester {
  /** `done` gets undefined when there will be no volume. */
  add(layer: CommittedLayer, done: (record: LayerRecord | undefined) => Promise<void>): void;
  /** A pull is under way: work that has not begun waits. */
  touch(): void;
  /** This layer is about to be downloaded and unpacked: as `touch`, until it is added, or is not after all. */
  expect(chainId: ChainId): void;
  stats(): IngestStats;
  stop(): Promise<void>;
}

interface Parts {
  blobs: BlobSource;
  makeVolume: MakeVolume;
  records: LayerRecords;
  volumes: VolumeStore;
  gate: Gate;
  logger: Logger;
  /** Told how long each volume took. */
  onIngested: (seconds: number) => void;
  quietMs?: number;
}

interface Job {
  layer: CommittedLayer;
  blob: Promise<HeldBlob | undefined>;
  done: (record: LayerRecord | undefined) => Promise<void>;
}

export function createIngester(parts: Parts): Ingester {
  const { blobs, makeVolume, records, volumes, gate, logger, onIngested, quietMs = QUIET_MS } = parts;
  const queue: Job[] = [];
  const stopping = new AbortController();
  const { signal } = stopping;
  let lastTouchMs = 0;
  /** When each was announced. */
  const expected = new Map<ChainId, number>();
  let working: Promise<void> | undefined;
  const stats = { running: 0, done: 0, failed: 0 };
  const namespaces = new Set<string>();

  async function quiet(): Promise<void> {
    const deadlineMs = performance.now() + QUIET_WAIT_MAX_MS;
    for (;;) {
      const nowMs = performance.now();
      for (const [chainId, atMs] of expected) if (nowMs - atMs > QUIET_WAIT_MAX_MS) expected.delete(chainId);
      const quietAtMs = expected.size > 0 ? nowMs + quietMs : lastTouchMs + quietMs;
      const waitMs = Math.min(quietAtMs, deadlineMs) - nowMs;
      if (waitMs <= 0) return;
      await sleep(waitMs, undefined, { signal });
    }
  }

  async function ingest({ layer, blob }: Job): Promise<LayerRecord> {
    const known = records.get(layer.chainId);
    if (known !== undefined && volumes.has(known.root)) return known;
    const startMs = performance.now();
    const held = await blob;
    const result = await makeVolume(layer, held, signal);
    const record: LayerRecord = {
      chainId: layer.chainId,
      diffId: result.diffId,
      parent: layer.parent,
      root: result.root,
      format: result.format,
      origin: result.origin,
    };
    await records.put(record);
    const seconds = (performance.now() - startMs) / 1000;
    onIngested(seconds);
    logger.info({ ...record, seconds: Number(seconds.toFixed(3)) }, 'layer ingested');
    return record;
  }

  async function attempt(job: Job): Promise<LayerRecord | undefined> {
    try {
      const record = await gate.shared(() => ingest(job));
      stats.done++;
      return record;
    } catch (error) {
      signal.throwIfAborted();
      stats.failed++;
      logger.error({ chainId: job.layer.chainId, err: error }, 'layer not ingested; it stays a directory');
      return undefined;
    }
  }

  async function work(): Promise<void> {
    for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
      stats.running = 1;
      try {
        await quiet();
        const record = await attempt(job);
        await job.done(record);
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ chainId: job.layer.chainId, err: error }, 'the snapshot did not take its volume');
      } finally {
        stats.running = 0;
        // At a stop it stays held: the next start takes the layer up again.
        if (!signal.aborted) await releaseBlob(job);
      }
    }
    await releaseLeftovers();
  }

  async function releaseLeftovers(): Promise<void> {
    try {
      await blobs.releaseLeftovers(namespaces);
    } catch (error) {
      logger.warn({ err: error }, 'leases of an earlier process not released; they expire');
    }
  }

  async function releaseBlob({ blob, layer }: Job): Promise<void> {
    try {
      await (await blob)?.release();
    } catch (error) {
      logger.warn(
        { chainId: layer.chainId, err: error },
        'lease not released; containerd ends it when it expires',
      );
    }
  }

  function start(): void {
    working ??= work().finally(() => {
      working = undefined;
      if (queue.length > 0 && !signal.aborted) start();
    });
  }

  function touch(): void {
    lastTouchMs = performance.now();
  }

  return {
    touch,
    expect(chainId) {
      touch();
      expected.set(chainId, lastTouchMs);
    },
    add(layer, done) {
      touch();
      expected.delete(layer.chainId);
      namespaces.add(layer.namespace);
      const blob = blobs.hold(layer, signal).catch((error: unknown) => {
        if (!signal.aborted)
          logger.warn(
            { chainId: layer.chainId, err: error },
            "the layer's blob cannot be had from containerd",
          );
        return undefined;
      });
      queue.push({ layer, blob, done });
      start();
    },
    stats: () => ({ queued: queue.length, ...stats }),
    async stop() {
      stopping.abort();
      await working?.catch(() => {});
    },
  };
}
