/**
 * A read-only registry on loopback, for containerd: what the cluster knows of images, so that a node that is cut off from the registry
 * can still pull. It gives indexes, manifests and configurations that ref records name; layers come by the snapshotter, and for
 * all else containerd is sent on to the next host of its list by a 404. docs/mirror.md tells how that list is to be.
 *
 * Invariants: no byte is sent that was not hashed in this very request. What a HEAD promises is here, since containerd goes
 * on with the digest that it was told. What a tag stands for is what the newest ref says.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BlockStore } from '../blocks/types.ts';
import type { Held, StoredObject } from '../peers/directory/types.ts';
import type { Log, Neighbours } from '../peers/types.ts';
import { isIndexType, isManifestType } from './containerd/oci.ts';
import { newestRef } from './image-list.ts';
import { loadObject } from './image-refs-object.ts';
import { createServer, listenHttp } from './listen-http.ts';
import type { DigestLookup } from './mirror-digests.ts';
import { type MirrorRequest, parseRequest } from './mirror-request.ts';

/** containerd takes no larger manifest. */
const MAX_OBJECT_BYTES = 4 << 20;
/** Different things that records say of one digest: only one of them can be true. */
const MAX_TRIES = 4;
const FETCH_TIMEOUT_MS = 15_000;
/** Objects in memory at once, requests that wait for a place, and connections. */
const MAX_AT_ONCE = 8;
const MAX_WAITING = 56;
const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8192;
const REQUEST_TIMEOUT_MS = 10_000;

export interface MirrorParts {
  /** Those of the image that count. */
  refs(image: string): readonly Held<'ref'>[];
  digests: Pick<DigestLookup, 'byDigest' | 'touch'>;
  blocks: Pick<BlockStore, 'get'>;
  want: Neighbours['want'];
  log: Log;
}

export interface Mirror {
  /** Where it listens; undefined when it cannot. */
  address(): AddressInfo | undefined;
  stop(): Promise<void>;
}

/** A request that gets no object. `code` is one of OCI's. */
class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

interface Found {
  object: StoredObject;
  bytes: Buffer;
}

/** A port that is taken is logged, not thrown: a node without a mirror is still a node. */
export async function startMirror(listen: string, parts: MirrorParts): Promise<Mirror> {
  const { log } = parts;
  const places = createPlaces();
  /** What is asked for when the node stops is nobody's fault. */
  const stopping = new AbortController();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.once('close', () => gone.abort(new Error('the client is gone')));
    try {
      const { method, url = '' } = request;
      if (method !== 'GET' && method !== 'HEAD')
        throw new Refusal(405, 'UNSUPPORTED', 'this registry is read-only');
      const asked = parseRequest(url);
      if (asked.kind === 'unknown') throw new Refusal(404, 'NAME_UNKNOWN', asked.what);
      if (asked.kind === 'version') return send(response, 200, 'application/json', Buffer.from('{}'));
      await places.take();
      try {
        const { object, bytes } = await find(parts, asked, AbortSignal.any([gone.signal, stopping.signal]));
        const type = asked.kind === 'blob' ? 'application/octet-stream' : object.mediaType;
        send(response, 200, type, bytes, { 'docker-content-digest': object.digest });
        log.debug({ url, bytes: bytes.length }, 'given by the mirror');
      } finally {
        places.leave();
      }
    } catch (error) {
      if (!gone.signal.aborted) refuse(response, error, log);
    }
  }

  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      requestTimeout: REQUEST_TIMEOUT_MS,
      headersTimeout: REQUEST_TIMEOUT_MS,
    },
    (request, response) => void answer(request, response),
  );
  server.maxConnections = MAX_CONNECTIONS;
  await listenHttp(server, listen, 'mirror', log);
  return {
    address: () => (server.address() as AddressInfo | null) ?? undefined,
    async stop() {
      stopping.abort(new Error('the node is stopping'));
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

type ObjectRequest = Exclude<MirrorRequest, { kind: 'unknown' | 'version' }>;

async function find(parts: MirrorParts, asked: ObjectRequest, gone: AbortSignal): Promise<Found> {
  const digest = asked.kind === 'tag' ? digestOfTag(parts, asked.image) : asked.digest;
  const said = digest === undefined ? [] : await parts.digests.byDigest(digest);
  const objects = said.filter(({ mediaType, sizeBytes }) => {
    const fits = asked.kind === 'blob' || isManifestType(mediaType) || isIndexType(mediaType);
    return fits && sizeBytes <= MAX_OBJECT_BYTES;
  });
  if (objects.length === 0) {
    const code = asked.kind === 'blob' ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN';
    throw new Refusal(404, code, 'no image that the cluster knows has it');
  }
  return load(parts, objects.slice(0, MAX_TRIES), gone);
}

function digestOfTag({ refs, digests }: MirrorParts, image: string): string | undefined {
  const content = newestRef(refs(image))?.content;
  if (content === undefined) return undefined;
  digests.touch(content);
  return (content.index ?? content.manifest).digest;
}

/** The first of them that can be had. */
async function load(
  { blocks, want, log }: MirrorParts,
  objects: readonly StoredObject[],
  gone: AbortSignal,
): Promise<Found> {
  const signal = AbortSignal.any([gone, AbortSignal.timeout(FETCH_TIMEOUT_MS)]);
  for (const object of objects) {
    try {
      return { object, bytes: await loadObject(object, blocks, want, signal) };
    } catch (error) {
      if (signal.aborted) break;
      log.warn({ digest: object.digest, err: error }, 'an object of an image could not be had');
    }
  }
  throw new Refusal(503, 'UNAVAILABLE', 'the cluster knows it, but nobody has given it now');
}

function refuse(response: ServerResponse, error: unknown, log: Log): void {
  const known = error instanceof Refusal;
  if (!known) log.error({ err: error }, 'the mirror failed');
  const { status, code, message } = known ? error : new Refusal(500, 'UNKNOWN', 'internal error');
  const body = Buffer.from(JSON.stringify({ errors: [{ code, message }] }));
  send(response, status, 'application/json', body, status === 405 ? { allow: 'GET, HEAD' } : {});
}

/** To a HEAD, Node sends the headers alone. */
function send(
  response: ServerResponse,
  status: number,
  type: string,
  body: Buffer,
  more: Record<string, string> = {},
): void {
  const headers = { 'content-type': type, 'content-length': body.length, ...more };
  response.writeHead(status, { 'docker-distribution-api-version': 'registry/2.0', ...headers }).end(body);
}

/** At most MAX_AT_ONCE have a place, at most MAX_WAITING wait for one in their order. */
function createPlaces() {
  const waiting: (() => void)[] = [];
  let taken = 0;
  return {
    async take(): Promise<void> {
      if (taken < MAX_AT_ONCE) {
        taken++;
        return;
      }
      if (waiting.length >= MAX_WAITING) throw new Refusal(503, 'UNAVAILABLE', 'too many requests at once');
      await new Promise<void>((resolve) => waiting.push(resolve));
    },
    leave(): void {
      const next = waiting.shift();
      if (next === undefined) taken--;
      else next();
    },
  };
}
