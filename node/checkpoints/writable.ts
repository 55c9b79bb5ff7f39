/**
 * A writable volume as a layer: what a container has written becomes one more lower layer of the container that is restored from it. Its
 * chainID is made up, and says so by how it is made, so that a later checkpoint can tell it from an image's layer.
 */
import { hash } from 'node:crypto';
import type { ChainId, LayerRecord, Root } from '../../blocks/types.ts';

export function writableChainId(parent: ChainId | '', root: Root): ChainId {
  return `sha256:${hash('sha256', `forage writable volume ${parent} ${root}`, 'hex')}`;
}

/** The layers that put the writable volumes on top of the image's, lowest first. */
export function writableLayers(
  parent: ChainId | '',
  volumes: readonly { root: Root; format: string }[],
): LayerRecord[] {
  const layers: LayerRecord[] = [];
  for (const { root, format } of volumes) {
    const below = layers.at(-1)?.chainId ?? parent;
    const chainId = writableChainId(below, root);
    layers.push({ chainId, diffId: '', parent: below, root, format, origin: 'copied' });
  }
  return layers;
}

/** The layer is a writable volume. */
export function isWritable({ chainId, parent, root }: LayerRecord): boolean {
  return chainId === writableChainId(parent, root);
}

/** Parts a chain, lowest first, into the image's layers and the writable volumes on top of them. */
export function partChain(
  chainIds: readonly ChainId[],
  recordOf: (chainId: ChainId) => LayerRecord | undefined,
): { image: ChainId[]; writable: Root[] } {
  const image = [...chainIds];
  const writable: Root[] = [];
  for (let top = image.at(-1); top !== undefined; top = image.at(-1)) {
    const record = recordOf(top);
    if (record === undefined || !isWritable(record)) break;
    writable.unshift(record.root);
    image.pop();
  }
  return { image, writable };
}
