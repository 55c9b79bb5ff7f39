/** Blobs in containerd's content store: which one a chainID stands for, their bytes, and taking layers' blobs out of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chainIdOf, digestOf, isDigest } from '../../blocks/digest.ts';
import type { ChainId, DiffId } from '../../blocks/types.ts';
import { ContentService, content } from '../../proto/containerd.ts';
import { fromInt64, toInt64 } from '../../proto/int64.ts';
import { type Connection, isContainerdError } from './connection.ts';

/** Set on a blob by containerd once it has unpacked it: the diffID. */
const UNCOMPRESSED = 'containerd.io/uncompressed';
/** Asked for at once. A stream runs ahead of its reader by many pieces of a megabyte; short ones bound the node's memory. */
const RANGE_BYTES = 512 << 10;
const POLL_MIN_MS = 50;
const POLL_MAX_MS = 800;

export interface LayerBlob {
  /** Of the blob as the registry has it, often compressed: `sha256:<64 hex>`. */
  digest: string;
  diffId: DiffId;
  sizeBytes: number;
}

/** A small blob that is not what was asked for: too large, or not of its digest. */
export class UnfitBlobError extends Error {
  constructor(digest: string, why: string) {
    super(`${digest} is ${why}`);
    this.name = 'UnfitBlobError';
  }
}

/** A layer by what a snapshot says of it. */
export interface LayerName {
  namespace: string;
  chainId: ChainId;
  /** The chainID below, '' for the lowest layer. */
  parent: ChainId | '';
}

export interface ContentStore {
  /**
   * The blob whose label makes this chainID. containerd sets the label just after it has committed the snapshot, so a
   * missing one is looked for again until `waitMs` have passed. undefined: there is none (built locally, collected).
   */
  findLayer(layer: LayerName, waitMs: number, signal?: AbortSignal): Promise<LayerBlob | undefined>;
  /** All blobs of layers that were unpacked here: those that carry the label. */
  listLayers(namespace: string, signal?: AbortSignal): Promise<LayerBlob[]>;
  has(namespace: string, digest: string): Promise<boolean>;
  /**
   * The blob's bytes in order from `from` on, as they are stored; not verified. Throws `ContainerdError`, `not-found`
   * among them.
   */
  read(namespace: string, digest: string, signal?: AbortSignal, from?: number): AsyncIterable<Uint8Array>;
  /** The whole of a small blob, checked against its digest. Throws `UnfitBlobError`, and `ContainerdError` as `read` does. */
  readSmall(namespace: string, digest: string, maxBytes: number, signal?: AbortSignal): Promise<Buffer>;
  /**
   * Takes the blob out of this namespace, and out of its leases; the file goes with containerd's next collection if no other
   * namespace has it. A blob that is not there is no error.
   */
  delete(namespace: string, digest: string): Promise<void>;
}

export function contentStore(connection: Connection): ContentStore {
  async function* layerBlobs(
    namespace: string,
    filter: string,
    signal?: AbortSignal,
  ): AsyncGenerator<LayerBlob> {
    const request = new content.ListContentRequest();
    request.setFiltersList([filter]);
    for await (const reply of connection.stream(ContentService.list, namespace, request, signal)) {
      yield* reply
        .getInfoList()
        .map(blobOf)
        .filter((blob) => blob !== undefined);
    }
  }

  async function findOnce(layer: LayerName, signal?: AbortSignal): Promise<LayerBlob | undefined> {
    for await (const blob of layerBlobs(layer.namespace, labelFilter(layer), signal)) {
      if (chainIdOf(layer.parent, blob.diffId) === layer.chainId) return blob;
    }
    return undefined;
  }

  async function listLayers(namespace: string, signal?: AbortSignal): Promise<LayerBlob[]> {
    const blobs: LayerBlob[] = [];
    for await (const blob of layerBlobs(namespace, `labels."${UNCOMPRESSED}"`, signal)) blobs.push(blob);
    return blobs;
  }

  async function findLayer(layer: LayerName, waitMs: number, signal?: AbortSignal) {
    const endMs = Date.now() + waitMs;
    for (let pauseMs = POLL_MIN_MS; ; pauseMs = Math.min(2 * pauseMs, POLL_MAX_MS)) {
      const blob = await findOnce(layer, signal);
      const leftMs = endMs - Date.now();
      if (blob !== undefined || leftMs <= 0) return blob;
      await sleep(Math.min(pauseMs, leftMs), undefined, { signal });
    }
  }

  async function info(
    namespace: string,
    digest: string,
    signal?: AbortSignal,
  ): Promise<{ sizeBytes: number }> {
    const request = new content.InfoRequest();
    request.setDigest(digest);
    const reply = await connection.call(ContentService.info, namespace, request, signal);
    return { sizeBytes: fromInt64(reply.getInfo()?.getSize() ?? '0', 'size of a blob') };
  }

  async function has(namespace: string, digest: string): Promise<boolean> {
    try {
      await info(namespace, digest);
      return true;
    } catch (error) {
      if (isContainerdError(error, 'not-found')) return false;
      throw error;
    }
  }

  async function* read(
    namespace: string,
    digest: string,
    signal?: AbortSignal,
    from = 0,
  ): AsyncGenerator<Uint8Array> {
    const { sizeBytes } = await info(namespace, digest);
    let position = from;
    while (position < sizeBytes) {
      const end = Math.min(position + RANGE_BYTES, sizeBytes);
      for await (const piece of range(namespace, digest, position, end, signal)) {
        position += piece.length;
        yield piece;
      }
      if (position !== end) throw new Error(`containerd sent ${digest} up to ${position} instead of ${end}`);
    }
  }

  async function* range(
    namespace: string,
    digest: string,
    from: number,
    end: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array> {
    const request = new content.ReadContentRequest();
    request.setDigest(digest);
    request.setOffset(toInt64(from));
    request.setSize(toInt64(end - from));
    // Offsets in the replies count from the start of the range (containerd 1.7), so they say nothing of the place in the
    // blob. That the bytes are the layer's, its diffID tells.
    for await (const reply of connection.stream(ContentService.read, namespace, request, signal)) {
      yield reply.getData_asU8();
    }
  }

  async function readSmall(namespace: string, digest: string, maxBytes: number, signal?: AbortSignal) {
    const { sizeBytes } = await info(namespace, digest, signal);
    if (sizeBytes > maxBytes)
      throw new UnfitBlobError(digest, `of ${sizeBytes} bytes, more than ${maxBytes}`);
    const pieces: Uint8Array[] = [];
    for await (const piece of read(namespace, digest, signal)) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (digestOf(bytes) !== digest) throw new UnfitBlobError(digest, `bytes of ${digestOf(bytes)}`);
    return bytes;
  }

  async function remove(namespace: string, digest: string): Promise<void> {
    const request = new content.DeleteContentRequest();
    request.setDigest(digest);
    try {
      await connection.call(ContentService.delete, namespace, request);
    } catch (error) {
      if (!isContainerdError(error, 'not-found')) throw error;
    }
  }

  return {
    findLayer,
    listLayers,
    has,
    read,
    readSmall,
    delete: remove,
  };
}

/** The lowest layer's chainID is its diffID, so containerd can pick the blob; above, the label's presence has to do. */
function labelFilter({ parent, chainId }: LayerName): string {
  return parent === '' ? `labels."${UNCOMPRESSED}"==${chainId}` : `labels."${UNCOMPRESSED}"`;
}

/** undefined where a digest is not of the one kind that chainIDs are made of. */
function blobOf(info: content.Info): LayerBlob | undefined {
  const digest = info.getDigest();
  const diffId = info.getLabelsMap().get(UNCOMPRESSED) ?? '';
  if (!isDigest(digest) || !isDigest(diffId)) return undefined;
  return { digest, diffId, sizeBytes: fromInt64(info.getSize(), 'size of a blob') };
}
