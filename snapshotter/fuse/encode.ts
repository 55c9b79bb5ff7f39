/**
 * Encoders of answers. Each writes the body of an answer behind the header's place in `reply` and returns the body's
 * length; `encodeHeader` then completes it. One buffer serves all answers, since each is sent before the next is made.
 */
import { DT_REG, OUT_HEADER_BYTES, PROTOCOL, READ_PAGES_MAX, S_IFDIR, S_IFREG } from './protocol.ts';

const BODY = OUT_HEADER_BYTES;
/** Names and attributes never change: the kernel may keep them for a year. */
const VALID_SECONDS = 365 * 24 * 3600;

/** What stat(2) shows of a node. */
export type Attributes =
  | { kind: 'folder'; nodeId: number }
  | { kind: 'file'; nodeId: number; sizeBytes: number };

/** struct fuse_out_header. `error` is 0 or a negative errno. */
export function encodeHeader(reply: Buffer, unique: bigint, error: number, bodyBytes: number): number {
  reply.writeUInt32LE(OUT_HEADER_BYTES + bodyBytes, 0);
  reply.writeInt32LE(error, 4);
  reply.writeBigUInt64LE(unique, 8);
  return OUT_HEADER_BYTES + bodyBytes;
}

/**
 * struct fuse_init_out. Reads that wait for far blocks hold places in the queue of background requests, so that queue
 * is as long as it can be: 65535.
 */
export function encodeInit(reply: Buffer, flags: number, maxReadaheadBytes: number): number {
  reply.fill(0, BODY, BODY + 64);
  reply.writeUInt32LE(PROTOCOL.major, BODY);
  reply.writeUInt32LE(PROTOCOL.minor, BODY + 4);
  reply.writeUInt32LE(maxReadaheadBytes, BODY + 8);
  reply.writeUInt32LE(flags, BODY + 12);
  reply.writeUInt16LE(0xffff, BODY + 16); // max_background
  reply.writeUInt16LE(0xffff, BODY + 18); // congestion_threshold
  reply.writeUInt32LE(4096, BODY + 20); // max_write: the least, there are none
  reply.writeUInt32LE(1, BODY + 24); // time_gran, in ns
  reply.writeUInt16LE(READ_PAGES_MAX, BODY + 28);
  return 64;
}

/** struct fuse_attr. Only root may look: layers hold files that only root may read. */
function encodeAttributes(reply: Buffer, at: number, node: Attributes): void {
  const sizeBytes = node.kind === 'file' ? node.sizeBytes : 0;
  reply.fill(0, at, at + 88);
  writeU64(reply, node.nodeId, at);
  writeU64(reply, sizeBytes, at + 8);
  writeU64(reply, sizeBytes / 512, at + 16);
  reply.writeUInt32LE(node.kind === 'file' ? S_IFREG | 0o400 : S_IFDIR | 0o500, at + 60);
  reply.writeUInt32LE(node.kind === 'file' ? 1 : 2, at + 64);
  reply.writeUInt32LE(4096, at + 80); // block size
}

/** struct fuse_entry_out, for LOOKUP. The generation is 0: an id never means another file. */
export function encodeEntry(reply: Buffer, node: Attributes): number {
  reply.fill(0, BODY, BODY + 40);
  writeU64(reply, node.nodeId, BODY);
  writeU64(reply, VALID_SECONDS, BODY + 16);
  writeU64(reply, VALID_SECONDS, BODY + 24);
  encodeAttributes(reply, BODY + 40, node);
  return 128;
}

/** struct fuse_attr_out, for GETATTR. */
export function encodeAttr(reply: Buffer, node: Attributes): number {
  reply.fill(0, BODY, BODY + 16);
  writeU64(reply, VALID_SECONDS, BODY);
  encodeAttributes(reply, BODY + 16, node);
  return 104;
}

/** struct fuse_open_out. The handle is always 0: a handle of a server that died must mean something to the next one. */
export function encodeOpen(reply: Buffer, openFlags: number): number {
  reply.fill(0, BODY, BODY + 16);
  reply.writeUInt32LE(openFlags, BODY + 8);
  return 16;
}

/** struct fuse_statfs_out: nothing is counted here; the disk below has its own df. */
export function encodeStatfs(reply: Buffer): number {
  reply.fill(0, BODY, BODY + 80);
  reply.writeUInt32LE(4096, BODY + 40); // bsize
  reply.writeUInt32LE(64, BODY + 44); // namelen
  reply.writeUInt32LE(4096, BODY + 48); // frsize
  return 80;
}

export interface FolderEntry {
  nodeId: number;
  name: string;
  /** Where a listing goes on behind this entry; derived from the name, so that it holds across servers. */
  cookie: number;
}

/** struct fuse_dirent, as many as fit into `sizeBytes`. */
export function encodeEntries(reply: Buffer, entries: Iterable<FolderEntry>, sizeBytes: number): number {
  let used = 0;
  for (const { nodeId, name, cookie } of entries) {
    const entryBytes = (24 + name.length + 7) & ~7;
    if (used + entryBytes > sizeBytes) break;
    const at = BODY + used;
    reply.fill(0, at, at + entryBytes);
    writeU64(reply, nodeId, at);
    writeU64(reply, cookie, at + 8);
    reply.writeUInt32LE(name.length, at + 16);
    reply.writeUInt32LE(DT_REG, at + 20);
    reply.write(name, at + 24, 'latin1');
    used += entryBytes;
  }
  return used;
}

function writeU64(reply: Buffer, value: number, at: number): void {
  reply.writeUInt32LE(value % 2 ** 32, at);
  reply.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
}
