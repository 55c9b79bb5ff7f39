/**
 * Leases that keep a layer's blob in containerd's content store while it is read: with `discard_unpacked_layers`, and when
 * the image is removed meanwhile, nothing else does. A lease is created, then given its blob; the caller looks afterwards
 * whether the blob is still there. Leases of an earlier process stay until this one needs none of the blobs that they
 * hold, or until they expire.
 */
import { randomUUID } from 'node:crypto';
import { LeasesService, leases as pb } from '../../proto/containerd.ts';
import { type Connection, ContainerdError, isContainerdError } from './connection.ts';

/** Marks our leases for ingest. The value is the digest of the blob that is held. */
const OURS = 'io.forage.ingest';
/** containerd's collector ignores a lease after this time (RFC 3339). */
const EXPIRE = 'containerd.io/gc.expire';
/** The type of a lease's resource that is a blob. */
const CONTENT = 'content';
/** Longer than any ingest takes, its time in the queue included. */
const EXPIRE_MS = 12 * 3600 * 1000;

export interface Leases {
  /** One for what is made under it (`Scope`), until `release`, which never throws. */
  create(namespace: string): Promise<{ id: string; release(): Promise<void> }>;
  /** Keeps the blob until `release`, which never throws: a lease that cannot be removed now expires. */
  hold(namespace: string, digest: string): Promise<{ release(): Promise<void> }>;
  /** Removes what earlier processes left in these namespaces, and answers how many. Leases that are held now stay. */
  removeLeftovers(namespaces: Iterable<string>): Promise<number>;
  /** Digests of all blobs that any lease holds, of whomever: pulls under way among them. */
  heldBlobs(namespace: string): Promise<Set<string>>;
}

export function leases(connection: Connection): Leases {
  const held = new Set<string>();

  async function create(namespace: string, id: string, digest?: string): Promise<void> {
    const request = new pb.CreateRequest();
    request.setId(id);
    if (digest !== undefined) request.getLabelsMap().set(OURS, digest);
    request.getLabelsMap().set(EXPIRE, new Date(Date.now() + EXPIRE_MS).toISOString());
    await connection.call(LeasesService.create, namespace, request);
  }

  async function addBlob(namespace: string, id: string, digest: string): Promise<void> {
    const resource = new pb.Resource();
    resource.setId(digest);
    resource.setType(CONTENT);
    const request = new pb.AddResourceRequest();
    request.setId(id);
    request.setResource(resource);
    await connection.call(LeasesService.addResource, namespace, request);
  }

  /** Answers whether the lease is gone. */
  async function remove(namespace: string, id: string): Promise<boolean> {
    const request = new pb.DeleteRequest();
    request.setId(id);
    try {
      await connection.call(LeasesService.delete, namespace, request);
      return true;
    } catch (error) {
      if (error instanceof ContainerdError) return error.kind === 'not-found';
      throw error;
    }
  }

  async function list(namespace: string, filters: string[]): Promise<string[]> {
    const request = new pb.ListRequest();
    request.setFiltersList(filters);
    const reply = await connection.call(LeasesService.list, namespace, request);
    return reply.getLeasesList().map((lease) => lease.getId());
  }

  async function blobsOf(namespace: string, id: string): Promise<string[]> {
    const request = new pb.ListResourcesRequest();
    request.setId(id);
    try {
      const reply = await connection.call(LeasesService.listResources, namespace, request);
      const blobs = reply.getResourcesList().filter((resource) => resource.getType() === CONTENT);
      return blobs.map((resource) => resource.getId());
    } catch (error) {
      if (isContainerdError(error, 'not-found')) return []; // ended meanwhile
      throw error;
    }
  }

  return {
    async create(namespace) {
      const id = `forage-${randomUUID()}`;
      await create(namespace, id);
      return { id, release: async () => void (await remove(namespace, id).catch(() => {})) };
    },
    async hold(namespace, digest) {
      const id = `forage-${randomUUID()}`;
      held.add(id);
      const release = async () => {
        held.delete(id);
        await remove(namespace, id);
      };
      try {
        await create(namespace, id, digest);
        await addBlob(namespace, id, digest);
      } catch (error) {
        await release();
        throw error;
      }
      return { release };
    },
    async removeLeftovers(namespaces) {
      let removed = 0;
      for (const namespace of namespaces) {
        for (const id of await list(namespace, [`labels."${OURS}"`])) {
          if (!held.has(id) && (await remove(namespace, id))) removed++;
        }
      }
      return removed;
    },
    async heldBlobs(namespace) {
      const blobs = new Set<string>();
      for (const id of await list(namespace, [])) {
        for (const digest of await blobsOf(namespace, id)) blobs.add(digest);
      }
      return blobs;
    },
  };
}
