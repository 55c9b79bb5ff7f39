/** What a checkpoint's document says of its container: from the shim, and from containerd where it knows the container. */
import type { Root } from '../../blocks/types.ts';
import type { ContainerFacts } from '../../shim/protocol.ts';
import type { Containerd } from '../containerd/containerd.ts';
import type { LayerRecords } from '../records.ts';
import { readBoundFiles } from './bound-files.ts';
import type { CheckpointDocument } from './document.ts';
import { parseSpec } from './spec.ts';
import { partChain } from './writable.ts';

/** The container's label with the id of the checkpoint that it was restored from. */
export const RESTORED_FROM = 'io.forage.restored-from';
/** With the id of the checkpoint that it begins again from, should its memory not come. */
export const FALLS_BACK_TO = 'io.forage.falls-back-to';

export interface Facts {
  made: NonNullable<CheckpointDocument['made']>;
  parent: string | undefined;
  /** Writable volumes among its lower layers, lowest first. */
  below: Root[];
}

/** undefined: containerd does not know it, so only who has made it can make it again. */
export async function factsOf(
  { containers, snapshots }: Pick<Containerd, 'containers' | 'snapshots'>,
  records: Pick<LayerRecords, 'get'>,
  { namespace, id }: Pick<ContainerFacts, 'namespace' | 'id'>,
): Promise<Facts | undefined> {
  const container = namespace === '' ? undefined : await containers.get(namespace, id);
  if (container === undefined) return undefined;
  const { image, snapshotter, snapshotKey, labels, runtime, spec } = container;
  const ociSpec = parseSpec(JSON.parse(spec.toString()));
  const chainIds = await snapshots.chainOf(namespace, snapshotter, snapshotKey);
  const parts = partChain(chainIds, (chainId) => records.get(chainId));
  return {
    made: {
      image,
      snapshotter,
      chainIds: parts.image,
      labels,
      runtime: {
        name: runtime.name,
        optionsType: runtime.options?.typeUrl ?? '',
        options: Buffer.from(runtime.options?.value ?? []).toString('base64'),
      },
      boundFiles: await readBoundFiles(ociSpec),
      spec: ociSpec,
    },
    parent: labels[RESTORED_FROM],
    below: parts.writable,
  };
}
