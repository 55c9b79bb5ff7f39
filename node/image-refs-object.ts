/**
 * Small objects of a registry (indexes, manifests, configurations) in blocks: padded with zeros to whole pages, cut into blocks
 * of the largest size. The same object gives the same blocks on every node, so neighbours keep one copy of it between them.
 */
import { blockIdOf, MAX_BLOCK_BYTES } from '../blocks/block.ts';
import { digestOf } from '../blocks/digest.ts';
import { type BlockId, type BlockStore, PAGE_BYTES } from '../blocks/types.ts';
import type { Ref, StoredObject } from '../peers/directory/types.ts';
import type { Neighbours } from '../peers/types.ts';
import type { Descriptor } from './containerd/oci.ts';

/** Blocks that do not make the object that their record says. */
export class WrongObjectError extends Error {
  constructor({ digest }: StoredObject, why: string) {
    super(`the blocks of ${digest} are not it: ${why}`);
    this.name = 'WrongObjectError';
  }
}

/** All that a ref names. */
export function objectsOf({ index, manifest, config }: Ref): StoredObject[] {
  return index === undefined ? [manifest, config] : [index, manifest, config];
}

/** `bytes` are the object's, checked. They survive a power loss only after `blocks.sync()`. */
export async function storeObject(
  blocks: Pick<BlockStore, 'has' | 'put'>,
  { digest, mediaType }: Descriptor,
  bytes: Uint8Array,
): Promise<StoredObject> {
  const ids: BlockId[] = [];
  for (let from = 0; from < bytes.length; from += MAX_BLOCK_BYTES) {
    const block = padded(bytes.subarray(from, from + MAX_BLOCK_BYTES));
    const id = blockIdOf(block);
    if (!blocks.has(id)) await blocks.put(id, block);
    ids.push(id);
  }
  return { digest, mediaType, sizeBytes: bytes.length, blocks: ids };
}

/**
 * The object's bytes, checked against its digest; blocks that are not here are fetched as if a container waited on them.
 * Throws WrongObjectError, or what `want` throws. Records of other nodes say what the blocks are: nothing is taken on trust.
 */
export async function loadObject(
  object: StoredObject,
  blocks: Pick<BlockStore, 'get'>,
  want: Neighbours['want'],
  signal: AbortSignal,
): Promise<Buffer> {
  const { digest, sizeBytes, blocks: ids } = object;
  if (ids.length > Math.ceil(sizeBytes / PAGE_BYTES))
    throw new WrongObjectError(object, 'more blocks than pages');
  await Promise.all(ids.map((id) => want(id, 'demand', signal)));
  const joined: Buffer[] = [];
  let left = sizeBytes;
  for (const id of ids) {
    const block = await blocks.get(id);
    if (block === undefined) throw new Error(`block ${id} of ${digest} went before it was read`);
    joined.push(block.subarray(0, Math.max(0, left)));
    left -= block.length;
  }
  if (left > 0) throw new WrongObjectError(object, `${left} bytes are missing`);
  const bytes = Buffer.concat(joined);
  if (digestOf(bytes) !== digest) throw new WrongObjectError(object, `they hash to ${digestOf(bytes)}`);
  return bytes;
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % PAGE_BYTES === 0) return bytes;
  const whole = Buffer.alloc(Math.ceil(bytes.length / PAGE_BYTES) * PAGE_BYTES);
  whole.set(bytes);
  return whole;
}
