/** Bounds of the directory. What goes beyond one is refused with an error. */
const KIB = 1024;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Of one record. The longest honest body is a removal of MAX_REMOVAL_NAMES. */
export const MAX_BODY_BYTES = 64 * KIB;
export const MAX_CERTIFICATE_BYTES = 4 * KIB;
export const SIGNATURE_BYTES = 64;

export const MAX_IMAGE_NAME_CHARACTERS = 512;
export const MAX_MEDIA_TYPE_CHARACTERS = 128;
/** Layers of an image. overlayfs takes fewer. */
export const MAX_LAYERS = 512;
export const MAX_CHECKPOINT_VOLUMES = 64;
/** A manifest, index or configuration. containerd itself reads no larger manifest than 8 MiB. */
export const MAX_OBJECT_BYTES = 8 * KIB * KIB;
export const MAX_OBJECT_BLOCKS = 64;
/** ChainIDs and record ids in one removal, together. */
export const MAX_REMOVAL_NAMES = 1024;

/** Clocks of nodes may be apart by this: a record from further in the future waits, and certificates are as much longer valid. */
export const CLOCK_TOLERANCE_MS = 10 * MINUTE_MS;

/** How many records a directory takes. Removals and revocations may go above by the reserve: a full directory can be cleaned. */
export interface Capacity {
  records: number;
  reserve: number;
  /** Of one signer, so that none fills the directory alone. */
  signerRecords: number;
  signerReserve: number;
}

export const CAPACITY: Capacity = {
  records: 950_000,
  reserve: 50_000,
  signerRecords: 50_000,
  signerReserve: 5_000,
};

/** What a removal ended is kept this long, out of sight: a revocation of who removed it may bring it back. */
export const ENDED_KEPT_MS = 60 * DAY_MS;
/**
 * A removal is kept, and taken from others, this long. Longer than what it ended by far more than clocks are apart: nobody
 * may forget a removal while somebody still has what it ended.
 */
export const REMOVAL_KEPT_MS = 90 * DAY_MS;
export const SWEEP_EVERY_MS = 60 * MINUTE_MS;
/** Records that are read between two turns of the event loop, by whoever reads all: some milliseconds. */
export const RECORDS_PER_TURN = 256;
/** Records that one transaction takes away: the event loop waits for it. */
export const DROPPED_AT_ONCE = 500;

/** Of an exchange. */
export const BUCKETS = 256;
export const IDS_PER_PAGE = 4096;
export const RECORDS_PER_REQUEST = 128;
/** A reply of records is cut after this; one record may go above. */
export const RECORDS_REPLY_BYTES = 256 * KIB;
/** ChainIDs in one question for layers, and records in the answer. */
export const CHAIN_IDS_PER_REQUEST = 64;
export const LAYERS_PER_REPLY = 512;
/** An exchange ends early after so many records that this node does not take, and goes on next time. */
export const MAX_REFUSED_PER_EXCHANGE = 1000;
/** Records that were not taken are not asked for again for a while. */
export const REFUSED_REMEMBERED = 50_000;
export const REFUSED_REMEMBERED_MS = 10 * MINUTE_MS;
