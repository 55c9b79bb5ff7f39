/** Names by sha256 as OCI writes them, and those that follow from others. */
import { hash } from 'node:crypto';
import type { ChainId, DiffId } from './types.ts';

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** True for `sha256:` and 64 lower-case hex digits. */
export function isDigest(text: unknown): text is string {
  return typeof text === 'string' && DIGEST.test(text);
}

/** The name of these bytes in a content store. */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${hash('sha256', bytes, 'hex')}`;
}

/** OCI's rule: the lowest layer's chainID is its diffID, else the sha256 of `<parent> <diffID>`. */
export function chainIdOf(parent: ChainId | '', diffId: DiffId): ChainId {
  return parent === '' ? diffId : digestOf(`${parent} ${diffId}`);
}

/** The chainIDs of layers, from the bottom up. */
export function chainIdsOf(diffIds: readonly DiffId[]): ChainId[] {
  const chainIds: ChainId[] = [];
  for (const diffId of diffIds) chainIds.push(chainIdOf(chainIds.at(-1) ?? '', diffId));
  return chainIds;
}
