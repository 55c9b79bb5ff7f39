/**
 * The directory's contracts: what records say, and how they are kept.
 *
 * A record is immutable. Its id is the sha256 of its body and its signer's public key, so it is the same whatever copy of
 * the signer's certificate came with it; all that decides anything is in those two, never in the certificate.
 */
import type { BlockId, ChainId, LayerRecord, Root } from '../../blocks/types.ts';
import type { NodeKey } from '../identity/keys.ts';

/** 64 hex digits. */
export type RecordId = string;

/** An Ed25519 public key: 64 hex digits. */
export type SignerKey = NodeKey;

/** `sha256:<64 hex>`. */
export type Digest = string;

/** A record as it travels. Nothing in it has been checked. */
export interface SignedRecord {
  body: Uint8Array;
  /** DER. */
  certificate: Uint8Array;
  signature: Uint8Array;
}

/**
 * A container's state: what restoring it takes. Whoever restores it and has seen which memory is touched first says the same
 * again with the working set.
 */
export interface Checkpoint {
  id: string;
  /** '' where the container was made of none. */
  image: string;
  /** JSON: all that is not in the volumes. */
  document: StoredObject;
  /** Writable volumes, lowest first. */
  volumes: readonly Root[];
  /** CRIU's images. */
  memory: Root;
  /** Numbers of blocks of the memory volume in the order of their first use: 4 bytes each, little-endian. */
  workingSet: StoredObject | undefined;
  /** The record that it says again, where it does. What ends that one ends this one, whenever each of them arrives. */
  repeats: RecordId | undefined;
}

/** A small object, of a registry for example, kept in blocks that joined, and cut at its size, are the object. */
export interface StoredObject {
  digest: Digest;
  sizeBytes: number;
  mediaType: string;
  blocks: readonly BlockId[];
}

/** What an image's name stood for when the signer pulled it. */
export interface Ref {
  image: string;
  manifest: StoredObject;
  config: StoredObject;
  /** Lowest layer first. */
  chainIds: readonly ChainId[];
  /** What the name resolved to, where that was not the manifest itself. */
  index: StoredObject | undefined;
}

/**
 * Ends refs of the image and layers of the chainIDs that are not newer than the removal, and records by their ids, with those
 * that repeat them. Removals and revocations cannot be ended.
 */
export interface Removal {
  /** '' where it ends no ref by name. */
  image: string;
  chainIds: readonly ChainId[];
  recordIds: readonly RecordId[];
}

/** Nothing that was signed with this key counts any more, whenever it was signed. By the cluster's authority only; for good. */
export interface Revocation {
  key: SignerKey;
  /** Whose key it was, for readers. */
  node: string;
}

export interface Contents {
  layer: LayerRecord;
  checkpoint: Checkpoint;
  ref: Ref;
  removal: Removal;
  revocation: Revocation;
}

export type Kind = keyof Contents;

/** What a record's body says. */
export type Statement<K extends Kind = Kind> = {
  [P in K]: {
    kind: P;
    /** The common name of the signer's certificate. */
    node: string;
    createdMs: number;
    content: Contents[P];
  };
}[K];

/** A record that was checked. */
export type Held<K extends Kind = Kind> = Statement<K> & { id: RecordId; signer: SignerKey };

/** Who signs: a node, or the authority. */
export interface Signer {
  name: string;
  key: SignerKey;
  certificate: Uint8Array;
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** A record as it is kept, with what an index needs of it. */
export interface StoredRecord extends SignedRecord {
  signer: SignerKey;
  createdMs: number;
}

/** What records are found by: 33 bytes, the first of which says what the others name. See keys.ts. */
export type IndexKey = Buffer;

export interface IndexEntry {
  id: RecordId;
  createdMs: number;
}

/** Records under their ids and under index keys. Implementations: store.ts (LMDB), memory.ts (twin); both pass store.conformance.ts. */
export interface RecordStore {
  isEmpty(): boolean;
  has(id: RecordId): boolean;
  get(id: RecordId): StoredRecord | undefined;
  /** What was put under this key, ascending by id. */
  under(key: IndexKey): IndexEntry[];
  /** How many entries each index key with this first byte has, by the key in hex. */
  tally(tag: number): Map<string, number>;
  /** Ids whose first byte is `bucket`, ascending, above `after`. */
  ids(bucket: number, after?: RecordId): Iterable<RecordId>;
  /**
   * Runs `change` alone: it reads what is there then, and all that it writes is made durable together before this resolves.
   * `change` must not throw once it has written.
   */
  transact<R>(change: (writer: RecordWriter) => R): Promise<R>;
}

export interface RecordWriter {
  put(id: RecordId, record: StoredRecord, keys: readonly IndexKey[]): void;
  /** With the keys that it was put under. */
  remove(id: RecordId, keys: readonly IndexKey[]): void;
}

/** The hash of the ids of each bucket: BUCKETS times 32 bytes. */
export type Digests = Uint8Array;

/** Ids above those of the page before, ascending. */
export interface IdsPage {
  ids: RecordId[];
  more: boolean;
}

/** The other side of an exchange. What it answers is not checked yet. */
export interface ReconcilePeer {
  digest(): Promise<Digests>;
  /** `buckets` ascending. */
  ids(buckets: readonly number[], after: RecordId | undefined): Promise<IdsPage>;
  /** The first of these, in this order, as many as fit into a reply. */
  records(ids: readonly RecordId[]): Promise<SignedRecord[]>;
}

/** A neighbour's directory. */
export interface DirectoryPeer extends ReconcilePeer {
  /** All that counts of these layers, as far as it fits into a reply. */
  layers(chainIds: readonly ChainId[]): Promise<SignedRecord[]>;
}
