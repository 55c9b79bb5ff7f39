/** Layers' blobs for the ingester, from containerd's content store, each held by a lease. */
import type { Containerd } from './containerd/containerd.ts';
import type { BlobSource } from './ingester.ts';

/** containerd labels the blob right after the snapshot's commit; a layer without a blob costs this once. */
const LABEL_WAIT_MS = 10_000;

export function blobsOf({ content, leases }: Containerd): BlobSource {
  return {
    async hold(layer, signal) {
      const { namespace } = layer;
      const found = await content.findLayer(layer, LABEL_WAIT_MS, signal);
      if (found === undefined) return undefined;
      const lease = await leases.hold(namespace, found.digest);
      // The blob may have been collected between the look-up and the lease.
      if (!(await content.has(namespace, found.digest))) {
        await lease.release();
        return undefined;
      }
      return {
        diffId: found.diffId,
        read: (readSignal) => content.read(namespace, found.digest, readSignal),
        release: () => lease.release(),
      };
    },
  };
}
