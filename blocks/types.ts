/**
 * The contracts of the block layer: what the snapshotter, the volume server and the peers see of it.
 * Implementations: `store.ts` (on disk), `memory.ts` (twin for tests). Both pass `store.conformance.ts`.
 */

/** A block's name: lower-case hex of the sha256 of its bytes (64 characters). */
export type BlockId = string;

/** A volume's name: lower-case hex of the sha256 of its index's canonical encoding (64 characters). */
export type Root = string;

/** A layer with all below it, as OCI's image spec defines it: `sha256:<64 hex>`. */
export type ChainId = string;

/** The sha256 of a layer's uncompressed tar: `sha256:<64 hex>`. */
export type DiffId = string;

/** The unit of everything: blocks, EROFS and the page cache all cut at multiples of it. */
export const PAGE_BYTES = 4096;

/** Gives a buffer of at least so many bytes. */
export type Room = (bytes: number) => Buffer;

/** Content-addressed, immutable blocks. Put and remove are idempotent. */
export interface BlockStore {
  has(id: BlockId): boolean;
  /** Where the volume server opens it. The file may not exist. */
  path(id: BlockId): string;
  /** Checks `bytes` against `id` (throws `CorruptBlockError`), then writes. Durable only after `sync`. */
  put(id: BlockId, bytes: Uint8Array): Promise<void>;
  /**
   * The verified bytes; undefined when absent. A block that fails its check is removed, logged and absent. It is hashed when
   * this process reads it first and whenever its file has changed, not at every read. Where bytes must be copied they go to
   * the beginning of what `room` gives, asked for at most once.
   */
  get(id: BlockId, room?: Room): Promise<Buffer | undefined>;
  remove(id: BlockId): Promise<void>;
  /** Makes all that was put so far survive a power loss (one syncfs, not one fsync a block). */
  sync(): Promise<void>;
  stats(): { count: number; bytes: number };
  /** Every id that is here, in no particular order. */
  ids(): Iterable<BlockId>;
}

/** A volume: an EROFS image cut into blocks. The decoded form of an index file. */
export interface VolumeIndex {
  readonly root: Root;
  /** How the image was made, such as `erofs-tar-lz4-1`: same layer and same format give the same bytes. */
  readonly format: string;
  /** Size of the image in bytes, a multiple of PAGE_BYTES. */
  readonly sizeBytes: number;
  readonly blockCount: number;
  /** Name of block i. One block may stand at several places of an image. */
  blockId(i: number): BlockId;
  /** The first place where a block stands; -1: nowhere. */
  positionOf(id: BlockId): number;
  /** Offset of block i in the image; `offset(blockCount)` is `sizeBytes`. */
  offset(i: number): number;
  /** The block that holds this byte. */
  blockAt(offset: number): number;
  /** True for a block that a walk of the tree reads (inodes, directories, xattrs): never fetched lazily. */
  isMetadata(i: number): boolean;
}

/** The volumes' indexes on disk, under their roots. */
export interface VolumeStore {
  has(root: Root): boolean;
  /** Decoded and cached; undefined when absent. */
  get(root: Root): Promise<VolumeIndex | undefined>;
  /** The canonical encoding, as peers get it. */
  encoded(root: Root): Promise<Buffer | undefined>;
  /** Checks that the bytes are an index whose root this is, then publishes it durably. Its metadata blocks must be stored and synced before. */
  put(root: Root, encoded: Uint8Array): Promise<VolumeIndex>;
  remove(root: Root): Promise<void>;
  roots(): Iterable<Root>;
}

/** Which volume holds a layer: what a node says of a layer that it has. */
export interface LayerRecord {
  chainId: ChainId;
  /** '' where the layer was walked because containerd had no blob of it any more. */
  diffId: DiffId | '';
  /** The chainID below, or '' for the lowest layer. */
  parent: ChainId | '';
  root: Root;
  format: string;
  /** `ingested`: derived here from the layer's own tar. `walked`: from an unpacked directory. `copied`: taken from a peer. */
  origin: 'ingested' | 'walked' | 'copied';
}
