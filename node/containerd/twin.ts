/** A containerd in memory that serves, over a real unix socket, the calls that forage makes. For tests. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import {
  ContentService,
  content,
  empty,
  ImagesService,
  images,
  LeasesService,
  leases,
  NamespacesService,
  namespaces as names,
  types,
  VersionService,
  version,
} from '../../proto/containerd.ts';
import { fromInt64, toInt64 } from '../../proto/int64.ts';
import { type CallContext, type Handlers, implement } from '../../proto/serve.ts';
import { timestamp } from '../../proto/snapshots.ts';
import { found, notFound, toStatus } from './twin-errors.ts';
import { type Running, serveRunning } from './twin-running.ts';

interface Blob {
  bytes: Uint8Array;
  labels: Record<string, string>;
}

interface Lease {
  labels: Record<string, string>;
  resources: { type: string; id: string }[];
}

interface Image {
  mediaType: string;
  digest: string;
  updatedAtMs: number;
}

interface Namespace extends Running {
  /** By their names. */
  images: Map<string, Image>;
  blobs: Map<string, Blob>;
  leases: Map<string, Lease>;
}

export interface ContainerdTwin {
  /** What it holds; made on first use. */
  namespace(name: string): Namespace;
  /** Pieces of content sent so far. */
  piecesSent(): number;
  /** How often it was asked for its images. */
  imageLists(): number;
  stop(): Promise<void>;
}

const UNCOMPRESSED = 'containerd.io/uncompressed';

/** Listens on `socketPath`. A blob is sent in pieces of `pieceBytes`. */
export async function startContainerdTwin(socketPath: string, pieceBytes = 1 << 20): Promise<ContainerdTwin> {
  const namespaces = new Map<string, Namespace>();
  let sent = 0;
  let imageLists = 0;

  function namespace(name: string): Namespace {
    const known = namespaces.get(name);
    if (known) return known;
    const made = {
      images: new Map(),
      blobs: new Map(),
      leases: new Map(),
      offered: new Set<string>(),
      snapshots: new Map(),
      containers: new Map(),
      tasks: new Map(),
    };
    namespaces.set(name, made);
    return made;
  }

  function of(context: CallContext): Namespace {
    const name = context.headers.get('containerd-namespace')[0];
    if (typeof name !== 'string') throw new Error('namespace is required');
    return namespace(name);
  }

  const contentHandlers: Handlers<typeof ContentService> = {
    async info(request, context) {
      const blob = found(of(context).blobs.get(request.getDigest()), request.getDigest());
      const reply = new content.InfoResponse();
      reply.setInfo(infoOf(request.getDigest(), blob));
      return reply;
    },
    async *list(request, context) {
      for (const [digest, blob] of of(context).blobs) {
        if (!matchesAny(request.getFiltersList(), blob.labels)) continue;
        const reply = new content.ListContentResponse();
        reply.addInfo(infoOf(digest, blob));
        yield reply;
      }
    },
    async delete(request, context) {
      const { blobs, leases: held } = of(context);
      if (!blobs.delete(request.getDigest())) throw notFound(request.getDigest());
      for (const lease of held.values())
        lease.resources = lease.resources.filter(({ id }) => id !== request.getDigest());
      return new empty.Empty();
    },
    async *read(request, context) {
      const { bytes } = found(of(context).blobs.get(request.getDigest()), request.getDigest());
      const from = fromInt64(request.getOffset(), 'offset');
      const sizeBytes = fromInt64(request.getSize(), 'size');
      const end = sizeBytes === 0 ? bytes.length : from + sizeBytes;
      for (let offset = from; offset < end; offset += pieceBytes) {
        const reply = new content.ReadContentResponse();
        reply.setOffset(toInt64(offset - from));
        reply.setData(bytes.subarray(offset, Math.min(offset + pieceBytes, end)));
        sent++;
        yield reply;
      }
    },
  };

  const leaseHandlers: Handlers<typeof LeasesService> = {
    async create(request, context) {
      const labels = Object.fromEntries(request.getLabelsMap().getEntryList());
      of(context).leases.set(request.getId(), { labels, resources: [] });
      return new leases.CreateResponse();
    },
    async delete(request, context) {
      if (!of(context).leases.delete(request.getId())) throw notFound(request.getId());
      return new empty.Empty();
    },
    async list(request, context) {
      const reply = new leases.ListResponse();
      for (const [id, { labels }] of of(context).leases) {
        if (!matchesAny(request.getFiltersList(), labels)) continue;
        const lease = new leases.Lease();
        lease.setId(id);
        reply.addLeases(lease);
      }
      return reply;
    },
    async addResource(request, context) {
      const { type, id } = request.getResource()!.toObject();
      found(of(context).leases.get(request.getId()), request.getId()).resources.push({ type, id });
      return new empty.Empty();
    },
    async listResources(request, context) {
      const { resources } = found(of(context).leases.get(request.getId()), request.getId());
      const reply = new leases.ListResourcesResponse();
      for (const { type, id } of resources) reply.addResources(new leases.Resource().setType(type).setId(id));
      return reply;
    },
  };

  const imageHandlers: Handlers<typeof ImagesService> = {
    async list(request, context) {
      imageLists++;
      const reply = new images.ListImagesResponse();
      for (const [name, image] of of(context).images) {
        const filters = request.getFiltersList();
        if (filters.length === 0 || filters.includes(`name==${name}`)) reply.addImages(imageOf(name, image));
      }
      return reply;
    },
  };

  const namespaceHandlers: Handlers<typeof NamespacesService> = {
    async list() {
      const reply = new names.ListNamespacesResponse();
      for (const name of namespaces.keys()) reply.addNamespaces(new names.Namespace().setName(name));
      return reply;
    },
  };

  const versionHandlers: Handlers<typeof VersionService> = {
    async version() {
      const reply = new version.VersionResponse();
      reply.setVersion('2.1.9');
      return reply;
    },
  };

  const server = new Server();
  server.addService(ContentService, implement(ContentService, contentHandlers, toStatus));
  server.addService(LeasesService, implement(LeasesService, leaseHandlers, toStatus));
  server.addService(ImagesService, implement(ImagesService, imageHandlers, toStatus));
  server.addService(NamespacesService, implement(NamespacesService, namespaceHandlers, toStatus));
  serveRunning(server, of);
  server.addService(VersionService, implement(VersionService, versionHandlers, toStatus));
  await new Promise<void>((resolve, reject) =>
    server.bindAsync(`unix://${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error ? reject(error) : resolve(),
    ),
  );

  return {
    namespace,
    piecesSent: () => sent,
    imageLists: () => imageLists,
    stop: async () => server.forceShutdown(),
  };
}

function infoOf(digest: string, blob: Blob): content.Info {
  const info = new content.Info();
  info.setDigest(digest);
  info.setSize(toInt64(blob.bytes.length));
  for (const [key, value] of Object.entries(blob.labels)) info.getLabelsMap().set(key, value);
  return info;
}

function imageOf(name: string, { mediaType, digest, updatedAtMs }: Image): images.Image {
  const target = new types.Descriptor().setMediaType(mediaType).setDigest(digest);
  const updatedAt = new timestamp.Timestamp()
    .setSeconds(Math.floor(updatedAtMs / 1000))
    .setNanos((updatedAtMs % 1000) * 1_000_000);
  return new images.Image().setName(name).setTarget(target).setUpdatedAt(updatedAt);
}

/** No filter is all. */
function matchesAny(filters: readonly string[], labels: Record<string, string>): boolean {
  return filters.length === 0 || filters.some((filter) => matches(filter, labels));
}

/** The two forms of containerd's filters in use here: `labels."k"` and `labels."k"==v`. */
function matches(filter: string, labels: Record<string, string>): boolean {
  const match = /^labels\."(?<key>[^"]+)"(?:==(?<value>\S+))?$/.exec(filter);
  if (!match?.groups) throw new Error(`unknown filter ${filter}`);
  const { key, value } = match.groups;
  return value === undefined ? key! in labels : labels[key!] === value;
}

/** Labels of an unpacked layer. */
export function unpacked(diffId: string): Record<string, string> {
  return { [UNCOMPRESSED]: diffId };
}
