/**
 * What an image's small blobs say: an index, a manifest and a configuration, in the forms of OCI and Docker. They were made by
 * whoever built the image: all that is used of them is checked, and bounded.
 */
import { isDigest } from '../../blocks/digest.ts';
import type { DiffId } from '../../blocks/types.ts';
import { MAX_LAYERS } from '../../peers/directory/limits.ts';

/** A blob as others name it. Its size is asked of the content store. */
export interface Descriptor {
  mediaType: string;
  /** `sha256:<64 hex>`. */
  digest: string;
}

/** As Go names them: `linux`, `amd64`. */
export interface Platform {
  os: string;
  architecture: string;
}

export interface Manifest {
  config: Descriptor;
  layerCount: number;
}

/** A document that is not what its media type says. */
export class MalformedError extends Error {
  constructor(what: string) {
    super(`no proper image: ${what}`);
    this.name = 'MalformedError';
  }
}

const INDEX_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);
const MANIFEST_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);
const CONFIG_TYPES: ReadonlySet<string> = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

/** Entries of an index that are looked at. Large ones have some dozens. */
const MAX_MANIFESTS = 256;

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'amd64',
  ia32: '386',
  ppc64: 'ppc64le',
};

export const isIndexType = (mediaType: string): boolean => INDEX_TYPES.has(mediaType);
export const isManifestType = (mediaType: string): boolean => MANIFEST_TYPES.has(mediaType);
export const isConfigType = (mediaType: string): boolean => CONFIG_TYPES.has(mediaType);

/** Of this process; what Node and Go call alike goes unchanged. */
export function ownPlatform(): Platform {
  return { os: process.platform, architecture: ARCHITECTURES[process.arch] ?? process.arch };
}

/**
 * The manifests for this platform, in the index's order; several where variants of it differ. Entries without a platform
 * are among them: only the configuration would tell.
 */
export function manifestsFor(index: Uint8Array, platform: Platform): Descriptor[] {
  const { manifests } = parse(index, 'an index');
  if (!Array.isArray(manifests) || manifests.length > MAX_MANIFESTS)
    throw new MalformedError('an index without a list of manifests, or with too many');
  return manifests
    .filter((entry) => isFor(entry, platform))
    .map(descriptorFrom)
    .filter(({ mediaType }) => isManifestType(mediaType));
}

export function manifestFrom(bytes: Uint8Array): Manifest {
  const { config, layers } = parse(bytes, 'a manifest');
  if (!Array.isArray(layers)) throw new MalformedError('a manifest without layers');
  return { config: descriptorFrom(config), layerCount: layers.length };
}

/** The layers' diffIDs, lowest first: at least one. */
export function diffIdsFrom(config: Uint8Array): DiffId[] {
  const { rootfs } = parse(config, 'a configuration');
  const diffIds = isObject(rootfs) ? rootfs.diff_ids : undefined;
  if (!Array.isArray(diffIds) || diffIds.length === 0 || diffIds.length > MAX_LAYERS)
    throw new MalformedError('a configuration without layers, or with too many');
  if (!diffIds.every(isDigest)) throw new MalformedError('a diffID that is no sha256 digest');
  return diffIds;
}

function isFor(entry: unknown, { os, architecture }: Platform): boolean {
  if (!isObject(entry)) return false;
  const { platform } = entry;
  return !isObject(platform) || (platform.os === os && platform.architecture === architecture);
}

function descriptorFrom(value: unknown): Descriptor {
  const { mediaType, digest } = isObject(value) ? value : {};
  if (typeof mediaType !== 'string' || !isDigest(digest)) throw new MalformedError('no proper descriptor');
  return { mediaType, digest };
}

function parse(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
  } catch {
    throw new MalformedError(`${what} that is no JSON`);
  }
  if (!isObject(value)) throw new MalformedError(`${what} that is no object`);
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
