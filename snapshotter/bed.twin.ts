/** A snapshotter in a scratch folder for tests, with `Layers` in memory; it can be closed and opened again, as after a restart. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import pino from 'pino';
import type { Test } from 'tap';
import type { ChainId, LayerRecord, Root } from '../blocks/types.ts';
import { MemoryLayers } from './memory-layers.ts';
import { REF_LABEL, type SnapshotRecord } from './record.ts';
import { type LocalSnapshotter, openSnapshotter } from './snapshots.ts';
import type { ErrorKind } from './types.ts';

export const silent = pino({ level: 'silent' });

export interface Bed {
  folder: string;
  layers: MemoryLayers;
  snapshotter: LocalSnapshotter;
  /** Ends the snapshotter and opens it again; with `reboot`, without what lives on a tmpfs. */
  restart(how?: 'reboot'): Promise<void>;
}

export async function makeBed(t: Test, settings: { unmountAfterMs?: number } = {}): Promise<Bed> {
  const folder = mkdtempSync(join(tmpdir(), 'forage-snapshots-'));
  const run = join(folder, 'run');
  let boot = 1;
  let db: RootDatabase;

  async function start(layers: MemoryLayers): Promise<LocalSnapshotter> {
    db = open({ path: join(folder, 'db') });
    return openSnapshotter({
      db: db.openDB<SnapshotRecord, number>({ name: 'snapshots' }),
      rootDirectory: folder,
      runDirectory: run,
      layers,
      bootId: `boot-${boot}`,
      logger: silent,
      unmountAfterMs: 60_000,
      ...settings,
    });
  }

  async function stop(): Promise<void> {
    await bed.snapshotter.close();
    await db.close();
  }

  const layers = new MemoryLayers(join(run, 'm'));
  const bed: Bed = {
    folder,
    layers,
    snapshotter: await start(layers),
    async restart(how) {
      await stop();
      if (how === 'reboot') {
        boot++;
        await rm(run, { recursive: true });
        bed.layers.mounted.clear();
      }
      bed.layers.pending.length = 0;
      bed.snapshotter = await start(bed.layers);
    },
  };
  t.teardown(async () => {
    await stop();
    await rm(folder, { recursive: true });
  });
  return bed;
}

/** A chainID, or a root without the prefix, from a small number. */
export function chainOf(n: number): ChainId {
  return `sha256:${rootOf(n)}`;
}

export function rootOf(n: number): Root {
  return n.toString(16).padStart(64, '0');
}

/** The backend name that containerd gives to a committed layer. */
export function layerName(n: number, namespace = 'default'): string {
  return `${namespace}/${n}/${chainOf(n)}`;
}

export function refTo(n: number): Record<string, string> {
  return { [REF_LABEL]: chainOf(n) };
}

export function recordOf(n: number, parent: number | undefined): LayerRecord {
  const below = parent === undefined ? '' : chainOf(parent);
  const chainId = chainOf(n);
  return { chainId, diffId: chainId, parent: below, root: rootOf(n), format: 'twin-1', origin: 'copied' };
}

/** A pattern for `t.throws` and `t.rejects`, whose types know no fields of our errors. */
export function kind(expected: ErrorKind): Error {
  return { kind: expected } as unknown as Error;
}

/** Unpacks layer `n` on the layer `parent` the usual way. */
export async function unpack({ snapshotter }: Bed, n: number, parent?: number): Promise<void> {
  await snapshotter.prepare(`default/${n}/extract`, parent === undefined ? '' : layerName(parent), {});
  await snapshotter.commit(layerName(n), `default/${n}/extract`, refTo(n));
}
