/**
 * The table of operations: one row an opcode, with its name, its decoder and its handler. What is not in it is answered
 * with ENOSYS, and the kernel does not ask again.
 *
 * A handler writes the answer's body into `reply` (encode.ts) and returns its length, or a negative errno, or undefined
 * when there is no answer, or not yet.
 */
import {
  decodeBatchForget,
  decodeInit,
  decodeInterrupt,
  decodeName,
  decodeNothing,
  decodeOpen,
  decodeRead,
  type InitRequest,
  type ReadRequest,
  type RequestHeader,
} from './decode.ts';
import {
  type Attributes,
  encodeAttr,
  encodeEntries,
  encodeEntry,
  encodeInit,
  encodeOpen,
  encodeStatfs,
} from './encode.ts';
import { ERRNO, INIT_FLAG, O_ACCMODE, OPCODE, OPEN_FLAG, PROTOCOL, ROOT_NODE } from './protocol.ts';
import type { VolumeFiles } from './volume-files.ts';

export type Outcome = number | undefined;

/** What the handlers act on. */
export interface Session {
  readonly files: VolumeFiles;
  readonly reply: Buffer;
  /** READ of a file: at once, or when its blocks are here. */
  read(header: RequestHeader, request: ReadRequest): Outcome;
  /** A signal has come for the thread behind a request. */
  interrupt(unique: bigint): void;
}

interface Op {
  readonly name: string;
  /** Throws `BadRequestError`. */
  run(session: Session, header: RequestHeader, bytes: Buffer): Outcome;
}

function op<T>(
  name: string,
  decode: (bytes: Buffer) => T,
  handle: (session: Session, header: RequestHeader, request: T) => Outcome,
): Op {
  return { name, run: (session, header, bytes) => handle(session, header, decode(bytes)) };
}

const FLAGS = INIT_FLAG.ASYNC_READ | INIT_FLAG.PARALLEL_DIROPS | INIT_FLAG.MAX_PAGES;

/** The first request of a mount; a server that takes over from another never sees it. */
function init({ reply }: Session, _header: RequestHeader, request: InitRequest): Outcome {
  const spoken = request.major === PROTOCOL.major && request.minor >= PROTOCOL.oldestMinor;
  return spoken ? encodeInit(reply, request.flags & FLAGS, request.maxReadaheadBytes) : -ERRNO.EPROTO;
}

/** open(2), stat(2) of a path that the kernel does not know yet. "Not found" is not cached: volumes come. */
function lookup({ files, reply }: Session, { nodeId }: RequestHeader, name: string): Outcome {
  if (nodeId !== ROOT_NODE) return -ERRNO.ENOTDIR;
  const volume = files.find(name);
  return volume === undefined ? -ERRNO.ENOENT : encodeEntry(reply, { kind: 'file', ...volume });
}

function attributes({ files }: Session, nodeId: number): Attributes | undefined {
  if (nodeId === ROOT_NODE) return { kind: 'folder', nodeId };
  const volume = files.byNodeId(nodeId);
  return volume && { kind: 'file', nodeId, sizeBytes: volume.sizeBytes };
}

/** stat(2), and before a read when the attributes are not cached. */
function getattr(session: Session, { nodeId }: RequestHeader): Outcome {
  const node = attributes(session, nodeId);
  return node === undefined ? -ERRNO.ESTALE : encodeAttr(session.reply, node);
}

/** open(2), also by mount(2) of an image. */
function open(session: Session, { nodeId }: RequestHeader, flags: number): Outcome {
  if ((flags & O_ACCMODE) !== 0) return -ERRNO.EROFS;
  if (nodeId === ROOT_NODE) return -ERRNO.EISDIR;
  if (session.files.byNodeId(nodeId) === undefined) return -ERRNO.ESTALE;
  return encodeOpen(session.reply, OPEN_FLAG.KEEP_CACHE | OPEN_FLAG.NOFLUSH);
}

/** opendir(3). */
function openFolder({ reply }: Session, { nodeId }: RequestHeader): Outcome {
  return nodeId === ROOT_NODE ? encodeOpen(reply, 0) : -ERRNO.ENOTDIR;
}

/** readdir(3). Without "." and "..", which nothing needs. */
function readFolder({ files, reply }: Session, { nodeId }: RequestHeader, request: ReadRequest): Outcome {
  if (nodeId !== ROOT_NODE) return -ERRNO.ENOTDIR;
  return encodeEntries(reply, files.entries(request.offset), request.sizeBytes);
}

/** The last close of an open file, umount(2) of an image among them. */
function release({ files }: Session, { nodeId }: RequestHeader): Outcome {
  files.release(nodeId);
  return 0;
}

/** The kernel drops the node from its memory. We may be asked for it again all the same: then it is found again. */
function forget({ files }: Session, nodeIds: readonly number[]): Outcome {
  for (const nodeId of nodeIds) files.forget(nodeId);
  return undefined;
}

const done = (): Outcome => 0;

export const OPS: ReadonlyMap<number, Op> = new Map([
  [OPCODE.READ, op('READ', decodeRead, (session, header, request) => session.read(header, request))],
  [OPCODE.LOOKUP, op('LOOKUP', decodeName, lookup)],
  [OPCODE.GETATTR, op('GETATTR', decodeNothing, getattr)],
  [OPCODE.OPEN, op('OPEN', decodeOpen, open)],
  [OPCODE.RELEASE, op('RELEASE', decodeNothing, release)],
  [OPCODE.FLUSH, op('FLUSH', decodeNothing, done)],
  [OPCODE.OPENDIR, op('OPENDIR', decodeNothing, openFolder)],
  [OPCODE.READDIR, op('READDIR', decodeRead, readFolder)],
  [OPCODE.RELEASEDIR, op('RELEASEDIR', decodeNothing, done)],
  [OPCODE.STATFS, op('STATFS', decodeNothing, ({ reply }) => encodeStatfs(reply))],
  [OPCODE.FORGET, op('FORGET', decodeNothing, (session, { nodeId }) => forget(session, [nodeId]))],
  [
    OPCODE.BATCH_FORGET,
    op('BATCH_FORGET', decodeBatchForget, (session, _header, nodeIds) => forget(session, nodeIds)),
  ],
  [
    OPCODE.INTERRUPT,
    op('INTERRUPT', decodeInterrupt, (session, _header, unique) => {
      session.interrupt(unique);
      return undefined;
    }),
  ],
  [OPCODE.INIT, op('INIT', decodeInit, init)],
  [OPCODE.DESTROY, op('DESTROY', decodeNothing, done)],
]);

/** Requests that have no answer, not even an error. */
export const UNANSWERED: ReadonlySet<number> = new Set([
  OPCODE.FORGET,
  OPCODE.BATCH_FORGET,
  OPCODE.INTERRUPT,
]);
