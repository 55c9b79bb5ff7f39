/** Bounds of the exchange between nodes. A peer that goes beyond one is cut off with an error, never believed. */
import { MAX_INDEX_BYTES } from '../../blocks/volume.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Blocks in one request: at 128 KiB a block, 32 MiB. */
export const MAX_BLOCKS_PER_REQUEST = 256;
/** A server reads no longer request: pins of 256 blocks of as many volumes take 16 KiB, ids of records 4 KiB. */
export const MAX_REQUEST_BYTES = 20 * KIB;

/** Pieces of a volume's index and metadata. */
export const PIECE_BYTES = 256 * KIB;
/** The longest honest gRPC reply: a piece of a volume, and its framing. */
export const MAX_REPLY_BYTES = 2 * PIECE_BYTES;

/** A volume's metadata in one reply, compressed and not. An image of 100 GB has some 100 MB of it. */
export const MAX_METADATA_BYTES = 512 * MIB;
export const MAX_INDEX_REPLY_BYTES = MAX_INDEX_BYTES;

/** Bytes on the way to a client before it has read them: a 1 Gbit/s link with 60 ms of round trip stays full. */
export const FLOW_CONTROL_WINDOW_BYTES = 8 * MIB;

/** Connections for blocks that one neighbour may have: it needs two, and two more while it makes them anew. */
export const MAX_BLOCK_CONNECTIONS_PER_PEER = 8;
/** All together: some hundred nodes that take from one. A connection costs the server some 60 KB. */
export const MAX_BLOCK_CONNECTIONS = 1024;

/** Calls that one neighbour, and all together, may have open on a server. More is answered with RESOURCE_EXHAUSTED. */
export const MAX_CALLS_PER_PEER = 32;
export const MAX_CALLS = 256;
/** Volumes read and compressed for neighbours at the same time: each is held in memory. */
export const MAX_VOLUME_CALLS = 4;
/** Others wait for their turn, but less long than it takes until a client calls it silence. */
export const VOLUME_WAIT_MAX_MS = 900;
