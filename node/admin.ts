/**
 * The admin service on run/admin.sock, for the `forage` commands. Handlers unpack, call one method of the node's view or control,
 * convert and return. Requests are checked here for form and length; whether what they name exists, the control says.
 */
import { isAbsolute } from 'node:path';
import { Server, status } from '@grpc/grpc-js';
import type { Logger } from 'pino';
import { isDigest } from '../blocks/digest.ts';
import { recordFrom } from '../peers/directory/service.ts';
import type { SignedRecord } from '../peers/directory/types.ts';
import { AdminService, admin } from '../proto/admin.ts';
import { toInt64 } from '../proto/int64.ts';
import { type ErrorToStatus, type Handlers, implement } from '../proto/serve.ts';
import { checkpointHandlers } from './checkpoints/admin.ts';
import type { CheckpointControl } from './checkpoints/control.ts';
import {
  type Collected,
  type ImageStatus,
  type NodeControl,
  type PeerStatus,
  type Progress,
  RefusedError,
  type VerifiedLayer,
} from './control.ts';
import { listenUnix } from './unix-server.ts';
import type { NodeStatus, NodeView, VolumeStatus } from './view.ts';

export interface Admin {
  stop(): Promise<void>;
}

const REFUSED = {
  absent: status.NOT_FOUND,
  invalid: status.INVALID_ARGUMENT,
  state: status.FAILED_PRECONDITION,
} as const;

const IMAGE_NAME = /^[\x21-\x7e]{1,512}$/;
const MAX_PATH_BYTES = 4096;

/** All that may be asked. */
export type AdminControl = NodeControl & CheckpointControl;

export async function startAdmin(
  socketPath: string,
  view: NodeView,
  control: AdminControl,
  logger: Logger,
): Promise<Admin> {
  const server = new Server();
  const handlers = { ...seeing(view, control), ...steering(control), ...checkpointHandlers(control) };
  server.addService(AdminService, implement(AdminService, handlers, statusOf(logger)));
  await listenUnix(server, socketPath);
  return { stop: async () => server.forceShutdown() };
}

/** What a person has asked wrongly, the person is told; all else is for the log. */
function statusOf(logger: Logger): ErrorToStatus {
  return (error, path) => {
    if (error instanceof RefusedError) return { code: REFUSED[error.kind], details: error.message };
    // Only a client that has gone ends work early.
    if (error instanceof Error && error.name === 'AbortError')
      return { code: status.CANCELLED, details: 'cancelled' };
    logger.error({ err: error, path }, 'admin call failed');
    return { code: status.INTERNAL, details: "internal error; the node's log has the cause" };
  };
}

type AdminHandlers = Handlers<typeof AdminService>;

function seeing(view: NodeView, control: NodeControl) {
  return {
    status: async () => statusReply(view.status()),
    volumes: async () => new admin.VolumesReply().setVolumesList((await view.volumes()).map(volumeOf)),
    peers: async () => new admin.PeersReply().setMembersList(control.peers().map(memberOf)),
    images: async () => new admin.ImagesReply().setImagesList((await control.images()).map(imageOf)),
  } satisfies Partial<AdminHandlers>;
}

function steering(control: NodeControl) {
  return {
    async removeImage(request) {
      const removed = await control.removeImage(imageName(request.getName()));
      return new admin.RemoveImageReply()
        .setName(removed.name)
        .setLayersFreed(removed.layersFreed)
        .setLayersShared(removed.layersShared)
        .setStillUsedByList(removed.stillUsedBy);
    },
    collect: async () => collectReply(await control.collect()),
    async *drain(_request, { signal }) {
      for await (const progress of control.drain(signal)) yield progressOf(progress);
    },
    async undrain() {
      await control.undrain();
      return new admin.UndrainReply();
    },
    async *prefetch(request, { signal }) {
      const image = imageName(request.getImage());
      for await (const progress of control.prefetch(image, signal)) yield progressOf(progress);
    },
    async revoke(request) {
      await control.revoke(recordIn(request));
      return new admin.RevokeReply();
    },
    async verify(request, { signal }) {
      const file = fileName(request.getFile());
      return verifyReply(await control.verify(layerName(request.getLayer()), file, signal));
    },
  } satisfies Partial<AdminHandlers>;
}

function imageName(name: string): string {
  if (IMAGE_NAME.test(name)) return name;
  throw new RefusedError(
    'invalid',
    "an image's name has 1 to 512 characters, without blanks: registry.example/app:1",
  );
}

function layerName(name: string): string {
  if (isDigest(name)) return name;
  throw new RefusedError(
    'invalid',
    'a layer is named by its chainID or diffID: sha256: and 64 hex digits, as `forage volumes --json` lists them',
  );
}

function fileName(path: string): string | undefined {
  if (path === '') return undefined;
  if (isAbsolute(path) && Buffer.byteLength(path) < MAX_PATH_BYTES && !path.includes('\0')) return path;
  throw new RefusedError('invalid', `a file is named by its absolute path, below ${MAX_PATH_BYTES} bytes`);
}

/** What is in the record, the directory checks. */
function recordIn(request: admin.RevokeRequest): SignedRecord {
  const record = request.getRecord();
  if (!record) throw new RefusedError('invalid', 'there is no record in the request');
  return recordFrom(record);
}

function statusReply(from: NodeStatus): admin.StatusReply {
  const { queued, running, done, failed } = from.ingest;
  return new admin.StatusReply()
    .setNode(from.node)
    .setVersion(from.version)
    .setPeersList(from.peers.map(peerOf))
    .setVolumes(from.volumes)
    .setBlocks(blocksOf(from.blocks.count, from.blocks.bytes))
    .setFetchedBytes(toInt64(from.fetchedBytes))
    .setServedBytes(toInt64(from.servedBytes))
    .setDemandReads(toInt64(from.demandReads))
    .setWaitingReads(from.waitingReads)
    .setIngest(new admin.Ingest().setQueued(queued).setRunning(running).setDone(done).setFailed(failed));
}

function blocksOf(count: number, bytes: number): admin.Blocks {
  return new admin.Blocks().setCount(toInt64(count)).setBytes(toInt64(bytes));
}

function peerOf(from: NodeStatus['peers'][number]): admin.Peer {
  return new admin.Peer()
    .setAddress(from.address)
    .setName(from.name ?? '')
    .setState(from.state)
    .setRttMs(from.rttMs ?? 0)
    .setBytesPerSecond(from.bytesPerSecond ?? 0);
}

function volumeOf(from: VolumeStatus): admin.Volume {
  return new admin.Volume()
    .setRoot(from.root)
    .setChainId(from.chainId)
    .setDiffId(from.diffId)
    .setFormat(from.format)
    .setSizeBytes(toInt64(from.sizeBytes))
    .setBlocks(from.blocks)
    .setBlocksHere(from.blocksHere)
    .setBytesHere(toInt64(from.bytesHere))
    .setComplete(from.blocksHere === from.blocks)
    .setMounted(from.mounted)
    .setInUse(from.inUse);
}

function memberOf(from: PeerStatus): admin.Member {
  return new admin.Member()
    .setName(from.name)
    .setAddress(from.address)
    .setState(from.state)
    .setDraining(from.draining)
    .setLink(from.link)
    .setRttMs(from.rttMs ?? 0)
    .setBytesPerSecond(from.bytesPerSecond ?? 0)
    .setCapacityBytes(toInt64(from.capacityBytes))
    .setOwnedShare(from.ownedShare);
}

function imageOf(from: ImageStatus): admin.Image {
  return new admin.Image()
    .setName(from.name)
    .setDigest(from.digest)
    .setCreatedMs(toInt64(from.createdMs))
    .setNodesList(from.nodes)
    .setLayers(from.layers)
    .setVolumes(from.volumes)
    .setBlockBytes(toInt64(from.blockBytes))
    .setBytesHere(toInt64(from.bytesHere));
}

function collectReply(from: Collected): admin.CollectReply {
  return new admin.CollectReply()
    .setRemoved(blocksOf(from.blocks, from.bytes))
    .setLeft(blocksOf(from.leftBlocks, from.leftBytes));
}

function progressOf(from: Progress): admin.Progress {
  return new admin.Progress()
    .setDoneBlocks(toInt64(from.doneBlocks))
    .setTotalBlocks(toInt64(from.totalBlocks))
    .setDoneBytes(toInt64(from.doneBytes))
    .setTotalBytes(toInt64(from.totalBytes));
}

function verifyReply(from: VerifiedLayer): admin.VerifyReply {
  return new admin.VerifyReply()
    .setChainId(from.chainId)
    .setDiffId(from.diffId)
    .setRoot(from.root)
    .setFormat(from.format)
    .setDerivedRoot(from.derivedRoot)
    .setIngestedByList(from.ingestedBy)
    .setMatches(from.matches);
}
