/**
 * Where ingest gets a layer's blob: found in containerd's content store, and held by a lease until released. While
 * containerd is away it is waited for, in the middle of a blob too.
 */
import type { CommittedLayer } from '../../snapshotter/types.ts';
import { isContainerdError } from './connection.ts';
import type { Containerd } from './containerd.ts';
import type { LayerBlob } from './content.ts';

/** How long after a commit containerd may take to label the blob with its diffID. */
const LABEL_WAIT_MS = 5000;

export interface HeldContent extends LayerBlob {
  namespace: string;
  /** The blob as stored: gzip, zstd or plain tar. */
  read(signal: AbortSignal): AsyncIterable<Uint8Array>;
  release(): Promise<void>;
}

/** undefined: containerd has no blob of this layer, or dropped it before the lease was made. */
export async function holdBlob(
  containerd: Containerd,
  layer: Pick<CommittedLayer, 'namespace' | 'chainId' | 'parent'>,
  signal: AbortSignal,
): Promise<HeldContent | undefined> {
  const { content, leases, ready } = containerd;
  const { namespace } = layer;
  for (;;) {
    await ready(signal);
    try {
      const blob = await content.findLayer(layer, LABEL_WAIT_MS, signal);
      if (blob === undefined) return undefined;
      const { release } = await leases.hold(namespace, blob.digest);
      const held = {
        ...blob,
        namespace,
        release,
        read: (by: AbortSignal) => readThrough(containerd, namespace, blob.digest, by),
      };
      if (await content.has(namespace, blob.digest)) return held;
      await release();
      return undefined;
    } catch (error) {
      if (!isContainerdError(error, 'unavailable')) throw error;
    }
  }
}

/** The same in whatever namespace has the blob. */
export async function holdAnywhere(
  containerd: Containerd,
  layer: Pick<CommittedLayer, 'chainId' | 'parent'>,
  signal: AbortSignal,
): Promise<HeldContent | undefined> {
  for (const namespace of await containerd.namespaces.list(signal)) {
    const found = await containerd.content.findLayer({ ...layer, namespace }, 0, signal);
    const held = found && (await holdBlob(containerd, { ...layer, namespace }, signal));
    if (held) return held;
  }
  return undefined;
}

/** Goes on where it was when a containerd that was restarted is back. */
async function* readThrough(
  { content, ready }: Containerd,
  namespace: string,
  digest: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; await ready(signal)) {
    try {
      for await (const piece of content.read(namespace, digest, signal, position)) {
        position += piece.length;
        yield piece;
      }
      return;
    } catch (error) {
      if (!isContainerdError(error, 'unavailable')) throw error;
    }
  }
}
