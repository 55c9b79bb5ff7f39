/**
 * The index of a volume: which blocks, in the order of the image, make it up. docs/volume-format.md describes the bytes.
 *
 * The encoding is canonical: one list of blocks has one encoding, and the decoder takes nothing else, so that the root
 * (the sha256 of the encoding) names the volume. The decoded form keeps the encoding and one array of offsets:
 * 38.2 bytes a block.
 */
import { hash } from 'node:crypto';
import { MAX_BLOCK_PAGES } from './block.ts';
import { type BlockId, PAGE_BYTES, type Root, type VolumeIndex } from './types.ts';

const MAGIC = 'FORAGVI1';
const HASH_BYTES = 32;
const FIXED_BYTES = MAGIC.length + 4 + 4 + 1;
const FORMAT = /^[a-z0-9][a-z0-9.,-]{0,63}$/;

/** 2 Mi blocks: some 256 GiB of image, 72 MB of index. */
export const MAX_BLOCKS = 2 ** 21;
export const MAX_INDEX_BYTES = encodedBytes(64, MAX_BLOCKS);

/** A block as the index lists it. */
export interface BlockEntry {
  id: BlockId;
  sizeBytes: number;
  /** True when a walk of the tree reads it. */
  metadata: boolean;
}

/** Bytes that are no index, or a list that makes none. */
export class BadIndexError extends Error {
  constructor(why: string) {
    super(`bad volume index: ${why}`);
    this.name = 'BadIndexError';
  }
}

function encodedBytes(formatBytes: number, blockCount: number): number {
  return FIXED_BYTES + formatBytes + blockCount * (HASH_BYTES + 2) + Math.ceil(blockCount / 8);
}

/** The sha256 of an encoded index. */
export function rootOf(encoded: Uint8Array): Root {
  return hash('sha256', encoded, 'hex');
}

/** The canonical encoding. Throws `BadIndexError` for what the decoder would refuse. */
export function encodeIndex(format: string, blocks: readonly BlockEntry[]): Buffer {
  if (!FORMAT.test(format)) throw new BadIndexError(`format id ${JSON.stringify(format)}`);
  if (blocks.length === 0 || blocks.length > MAX_BLOCKS) throw new BadIndexError(`${blocks.length} blocks`);
  const out = Buffer.alloc(encodedBytes(format.length, blocks.length));
  const layout = layoutOf(format.length, blocks.length);
  let pages = 0;
  blocks.forEach(({ id, sizeBytes, metadata }, i) => {
    const blockPages = sizeBytes / PAGE_BYTES;
    checkBlockPages(blockPages, i);
    if (out.write(id, layout.hashes + i * HASH_BYTES, 'hex') !== HASH_BYTES || id.length !== 2 * HASH_BYTES) {
      throw new BadIndexError(`block id ${JSON.stringify(id)}`);
    }
    out.writeUInt16LE(blockPages, layout.pages + i * 2);
    if (metadata) out[layout.bitmap + (i >> 3)]! |= 1 << (i & 7);
    pages += blockPages;
  });
  out.write(MAGIC, 0, 'latin1');
  out.writeUInt32LE(blocks.length, MAGIC.length);
  out.writeUInt32LE(pages, MAGIC.length + 4);
  out[MAGIC.length + 8] = format.length;
  out.write(format, FIXED_BYTES, 'latin1');
  return out;
}

function layoutOf(formatBytes: number, blockCount: number) {
  const hashes = FIXED_BYTES + formatBytes;
  const pages = hashes + blockCount * HASH_BYTES;
  return { hashes, pages, bitmap: pages + blockCount * 2 };
}

function checkBlockPages(pages: number, i: number): void {
  if (!Number.isInteger(pages) || pages < 1 || pages > MAX_BLOCK_PAGES) {
    throw new BadIndexError(`block ${i} has ${pages} pages`);
  }
}

/** Decodes an index from a file or a peer; keeps a copy of its own. Throws `BadIndexError`. */
export function decodeIndex(encoded: Uint8Array): DecodedIndex {
  if (encoded.length < FIXED_BYTES || encoded.length > MAX_INDEX_BYTES) {
    throw new BadIndexError(`${encoded.length} bytes`);
  }
  const bytes = Buffer.from(encoded);
  if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) throw new BadIndexError('magic number');
  const blockCount = bytes.readUInt32LE(MAGIC.length);
  const pageCount = bytes.readUInt32LE(MAGIC.length + 4);
  const formatBytes = bytes[MAGIC.length + 8]!;
  if (blockCount === 0 || blockCount > MAX_BLOCKS) throw new BadIndexError(`${blockCount} blocks`);
  if (bytes.length !== encodedBytes(formatBytes, blockCount)) {
    throw new BadIndexError(`${bytes.length} bytes for ${blockCount} blocks`);
  }
  const format = bytes.toString('latin1', FIXED_BYTES, FIXED_BYTES + formatBytes);
  if (!FORMAT.test(format)) throw new BadIndexError('format id');
  const layout = layoutOf(formatBytes, blockCount);
  checkPadding(bytes, layout.bitmap, blockCount);
  const starts = pageStarts(bytes, layout.pages, blockCount);
  if (starts[blockCount] !== pageCount) throw new BadIndexError('block lengths do not sum to the size');
  return new DecodedIndex(bytes, format, starts, layout.hashes, layout.bitmap);
}

/** Bits beyond the last block must be 0: there is one encoding only. */
function checkPadding(bytes: Buffer, bitmap: number, blockCount: number): void {
  const used = blockCount & 7;
  if (used !== 0 && bytes[bitmap + (blockCount >> 3)]! >> used !== 0) {
    throw new BadIndexError('bits beyond the last block');
  }
}

/** First page of each block, and the page count at the end. At most 2^28, so 32 bits hold it. */
function pageStarts(bytes: Buffer, lengths: number, blockCount: number): Uint32Array {
  const starts = new Uint32Array(blockCount + 1);
  let page = 0;
  for (let i = 0; i < blockCount; i++) {
    const pages = bytes.readUInt16LE(lengths + i * 2);
    checkBlockPages(pages, i);
    page += pages;
    starts[i + 1] = page;
  }
  return starts;
}

/** Made by `decodeIndex` only. */
export class DecodedIndex implements VolumeIndex {
  readonly root: Root;
  readonly format: string;
  readonly sizeBytes: number;
  readonly blockCount: number;
  /** The canonical encoding. */
  readonly encoded: Buffer;
  readonly #starts: Uint32Array;
  readonly #hashes: number;
  readonly #bitmap: number;

  constructor(encoded: Buffer, format: string, starts: Uint32Array, hashes: number, bitmap: number) {
    this.root = rootOf(encoded);
    this.format = format;
    this.blockCount = starts.length - 1;
    this.sizeBytes = starts[this.blockCount]! * PAGE_BYTES;
    this.encoded = encoded;
    this.#starts = starts;
    this.#hashes = hashes;
    this.#bitmap = bitmap;
  }

  blockId(i: number): BlockId {
    this.#check(i, this.blockCount);
    const at = this.#hashes + i * HASH_BYTES;
    return this.encoded.toString('hex', at, at + HASH_BYTES);
  }

  positionOf(id: BlockId): number {
    const hash = Buffer.from(id, 'hex');
    if (hash.length !== HASH_BYTES) return -1;
    const end = this.#hashes + this.blockCount * HASH_BYTES;
    let at = this.encoded.indexOf(hash, this.#hashes);
    // What begins within a hash is none.
    while (at >= 0 && (at - this.#hashes) % HASH_BYTES !== 0) at = this.encoded.indexOf(hash, at + 1);
    return at >= 0 && at < end ? (at - this.#hashes) / HASH_BYTES : -1;
  }

  offset(i: number): number {
    this.#check(i, this.blockCount + 1);
    return this.#starts[i]! * PAGE_BYTES;
  }

  blockAt(offset: number): number {
    if (!(offset >= 0 && offset < this.sizeBytes))
      throw new RangeError(`offset ${offset} is outside the volume`);
    const page = Math.floor(offset / PAGE_BYTES);
    let low = 0;
    let high = this.blockCount;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.#starts[middle]! <= page) low = middle;
      else high = middle;
    }
    return low;
  }

  isMetadata(i: number): boolean {
    this.#check(i, this.blockCount);
    return ((this.encoded[this.#bitmap + (i >> 3)]! >> (i & 7)) & 1) === 1;
  }

  /** What it occupies, for caches. */
  get memoryBytes(): number {
    return this.encoded.length + this.#starts.byteLength;
  }

  #check(i: number, bound: number): void {
    if (!(Number.isInteger(i) && i >= 0 && i < bound)) throw new RangeError(`no block ${i}`);
  }
}
