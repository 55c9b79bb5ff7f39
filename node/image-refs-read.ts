/** Reads what an image consists of from containerd's content store: its small objects, checked, and its layers' chainIDs. */
import { chainIdsOf } from '../blocks/digest.ts';
import type { ChainId } from '../blocks/types.ts';
import { ContainerdError, type ContentStore } from './containerd/containerd.ts';
import {
  type Descriptor,
  diffIdsFrom,
  isConfigType,
  isIndexType,
  isManifestType,
  MalformedError,
  manifestFrom,
  manifestsFor,
  type Platform,
} from './containerd/oci.ts';

/** containerd itself takes no larger manifest from a registry. */
const MAX_OBJECT_BYTES = 4 << 20;

export interface ReadObject extends Descriptor {
  bytes: Buffer;
}

export interface ReadImage {
  /** undefined where the name stands for the manifest itself. */
  index: ReadObject | undefined;
  manifest: ReadObject;
  config: ReadObject;
  /** Lowest layer first. */
  chainIds: ChainId[];
}

export interface ReadFrom {
  content: Pick<ContentStore, 'readSmall'>;
  namespace: string;
  platform: Platform;
  /** Whether this node has the layer as a volume. */
  hasLayer: (chainId: ChainId) => boolean;
  signal: AbortSignal;
}

/**
 * undefined: the image is of a kind that is not known here or of another platform, or some of its layers are no volumes.
 * Throws MalformedError, UnfitBlobError, ContainerdError.
 */
export async function readImage(from: ReadFrom, target: Descriptor): Promise<ReadImage | undefined> {
  if (isManifestType(target.mediaType)) return readManifest(from, target, undefined);
  if (!isIndexType(target.mediaType)) return undefined;
  const index = await readObject(from, target);
  for (const manifest of manifestsFor(index.bytes, from.platform)) {
    const image = await ifThere(readManifest(from, manifest, index));
    if (image !== undefined) return image;
  }
  return undefined;
}

async function readManifest(
  from: ReadFrom,
  descriptor: Descriptor,
  index: ReadObject | undefined,
): Promise<ReadImage | undefined> {
  const manifest = await readObject(from, descriptor);
  const { config: named, layerCount } = manifestFrom(manifest.bytes);
  if (!isConfigType(named.mediaType)) return undefined;
  const config = await readObject(from, named);
  const diffIds = diffIdsFrom(config.bytes);
  if (diffIds.length !== layerCount)
    throw new MalformedError(`${layerCount} layers with ${diffIds.length} diffIDs`);
  const chainIds = chainIdsOf(diffIds);
  return chainIds.every(from.hasLayer) ? { index, manifest, config, chainIds } : undefined;
}

async function readObject({ content, namespace, signal }: ReadFrom, { digest, mediaType }: Descriptor) {
  const bytes = await content.readSmall(namespace, digest, MAX_OBJECT_BYTES, signal);
  return { digest, mediaType, bytes };
}

/** Of an index, containerd has only the manifests that were pulled. */
async function ifThere<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ContainerdError && error.kind === 'not-found') return undefined;
    throw error;
  }
}
