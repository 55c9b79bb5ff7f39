/**
 * Makes a layer's volume again from the layer's own bytes and compares: the same layer in the same format has the same root on every
 * node, so a root that cannot be made from what the registry has is a lie. Works in a folder of its own, which it removes.
 */
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { runIngest } from '../blocks/ingest-child.ts';
import type { ChainId, DiffId } from '../blocks/types.ts';
import type { Directory } from '../peers/directory/directory.ts';
import { settle } from '../peers/directory/trust.ts';
import type { Held } from '../peers/directory/types.ts';
import type { LayerName } from './containerd/content.ts';
import { RefusedError, type VerifiedLayer } from './control.ts';
import type { HeldBlob } from './ingester.ts';

export type VerifyLayer = (
  directory: Directory,
  layer: string,
  file: string | undefined,
  signal: AbortSignal,
) => Promise<VerifiedLayer>;

interface Parts {
  tempDir: string;
  compression: 'none' | 'lz4' | 'lz4hc' | 'zstd';
  /** The layer's blob in containerd's content store, in whatever namespace it is. */
  hold: (layer: Omit<LayerName, 'namespace'>, signal: AbortSignal) => Promise<HeldBlob | undefined>;
}

export function createVerify({ tempDir, compression, hold }: Parts): VerifyLayer {
  async function derive(held: Held<'layer'>, blob: AsyncIterable<Uint8Array>, signal: AbortSignal) {
    const { chainId, parent, diffId } = held.content;
    const dir = await mkdtemp(join(tempDir, 'ingest-verify-'));
    try {
      const job = {
        blocksDir: join(dir, 'blocks'),
        volumesDir: join(dir, 'volumes'),
        tempDir: dir,
        compression,
        of: 'layer' as const,
        chainId,
        parent,
        diffId,
        directory: '',
        lowers: [],
      };
      return await runIngest(job, blob, { signal });
    } finally {
      await rm(dir, { recursive: true, force: true, maxRetries: 5 });
    }
  }

  return async (directory, layer, file, signal) => {
    const held = find(directory, layer);
    const { content } = held;
    if (content.diffId === '') {
      throw new RefusedError(
        'state',
        'the layer was made from an unpacked directory: there is nothing to compare with',
      );
    }
    const blob = file === undefined ? await hold(content, signal) : undefined;
    try {
      const bytes = file === undefined ? blob?.read(signal) : await openFile(file);
      if (!bytes) {
        throw new RefusedError(
          'state',
          'containerd has no blob of this layer; `ctr content fetch IMAGE` brings it',
        );
      }
      const derived = await derive(held, bytes, signal);
      const ingestedBy = directory
        .layersByChainId(content.chainId)
        .filter((other) => other.content.root === content.root && other.content.origin === 'ingested')
        .map(({ node }) => node);
      return {
        chainId: content.chainId,
        diffId: content.diffId,
        root: content.root,
        format: content.format,
        derivedRoot: derived.root,
        ingestedBy: [...new Set(ingestedBy)].sort(),
        matches: derived.root === content.root && derived.format === content.format,
      };
    } finally {
      await blob?.release();
    }
  };
}

/** What the cluster says of the layer, by its chainID or its diffID; whether it is to be believed is what is to be found out. */
function find(directory: Directory, layer: ChainId | DiffId): Held<'layer'> {
  const records = [...directory.layersByChainId(layer), ...directory.layersByDiffId(layer)];
  const verdict = settle(
    records.filter(({ content }) => content.chainId === (records[0]?.content.chainId ?? '')),
    { kind: 'signed' },
  );
  if (verdict.believed) return verdict.record;
  throw new RefusedError('absent', `no node of the cluster has the layer ${layer}`);
}

async function openFile(file: string): Promise<AsyncIterable<Uint8Array>> {
  const status = await stat(file).catch(() => undefined);
  if (!status?.isFile()) throw new RefusedError('invalid', `${file} is no file that the node can read`);
  return createReadStream(file, { highWaterMark: 1 << 20 });
}
