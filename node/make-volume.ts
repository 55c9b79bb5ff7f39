/** The ingester's way to a volume: a child process that reads the blob and writes into the stores. */
import { type ChildJob, runIngest } from '../blocks/ingest-child.ts';
import type { DiskBlockStore } from '../blocks/store.ts';
import type { MakeVolume } from './ingester.ts';

export interface MakeVolumeOptions
  extends Pick<ChildJob, 'blocksDir' | 'volumesDir' | 'tempDir' | 'compression'> {
  /** Told what the child has put, since it keeps the totals. */
  blocks: DiskBlockStore;
}

export function makeVolumeWith({ blocks, ...settings }: MakeVolumeOptions): MakeVolume {
  return async (layer, blob, signal) => {
    const result = await runIngest(
      {
        of: 'layer',
        ...settings,
        chainId: layer.chainId,
        parent: layer.parent,
        diffId: blob?.diffId ?? '',
        directory: layer.directory,
        lowers: layer.lowers,
      },
      blob?.read(signal) ?? null,
      { signal },
    );
    blocks.note(result.newBlocks, result.newBytes);
    return result;
  };
}
