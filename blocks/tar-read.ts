/** Reads a tar archive entry by entry, as Go's archive/tar does; no file is ever held in memory. */
import { ByteQueue } from './byte-queue.ts';
import {
  BadTarError,
  isZeroBlock,
  parseHeader,
  parsePax,
  parsePaxInteger,
  parsePaxTime,
  TAR_BLOCK_BYTES,
  type TarHeader,
} from './tar-header.ts';
import { checkSparseMap, type DataRange, readSparseMap, sparseHeader } from './tar-sparse.ts';

/** A header with all that pax and GNU records add to it. For a sparse file `sizeBytes` is the whole file's. */
export interface TarEntry extends TarHeader {
  /** From SCHILY.xattr records; names in latin1. */
  xattrs: Map<string, Buffer>;
}

const XATTR_KEY = 'SCHILY.xattr.';
/** Long names and pax records; Go's limit is the same. */
const MAX_SPECIAL_BYTES = 1024 * 1024;
/** Types that have no data, whatever their size field says. */
const WITHOUT_DATA = '123456';
const ZEROS = Buffer.alloc(256 * 1024);

type PaxRecord = readonly [string, Buffer];

export class TarReader {
  readonly #bytes: ByteQueue;
  /** Stored bytes of the current entry that are still unread, and the padding behind them. */
  #left = 0;
  #padding = 0;
  #ranges: DataRange[] | undefined;
  #sizeBytes = 0;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#bytes = new ByteQueue(source);
  }

  /** The next entry; undefined at the archive's end. Throws `BadTarError`. */
  async next(): Promise<TarEntry | undefined> {
    let records: PaxRecord[] = [];
    let longName: string | undefined;
    let longLink: string | undefined;
    for (;;) {
      await this.#skip();
      const header = await this.#header();
      if (header === undefined) return undefined;
      if (header.sizeBytes < 0) throw new BadTarError('negative size');
      this.#expect(header.sizeBytes);
      if (header.type === 'x') records = parsePax(await this.#special());
      else if (header.type === 'L') longName = cString(await this.#special());
      else if (header.type === 'K') longLink = cString(await this.#special());
      else if (header.type === 'g') return { ...header, xattrs: new Map() };
      else return this.#entry(header, records, longName, longLink);
    }
  }

  async #entry(
    header: TarHeader,
    records: PaxRecord[],
    longName: string | undefined,
    longLink: string | undefined,
  ): Promise<TarEntry> {
    const entry: TarEntry = { ...header, xattrs: new Map() };
    applyPax(entry, records);
    entry.name = longName ?? entry.name;
    entry.linkName = longLink ?? entry.linkName;
    if (entry.type === '\0') entry.type = entry.name.endsWith('/') ? '5' : '0';
    if (entry.sizeBytes < 0) throw new BadTarError('negative size');
    if (WITHOUT_DATA.includes(entry.type)) entry.sizeBytes = 0;
    this.#expect(entry.sizeBytes);
    await this.#sparse(entry, records);
    this.#sizeBytes = entry.sizeBytes;
    return entry;
  }

  /** The current entry's data, holes filled with zeros. Parts are valid until the next call. */
  async *content(): AsyncGenerator<Buffer> {
    let position = 0;
    for (const { offset, length } of this.#ranges ?? [{ offset: 0, length: this.#left }]) {
      yield* zeros(offset - position);
      for (let left = length; left > 0; ) {
        const part = await this.#some(left);
        left -= part.length;
        yield part;
      }
      position = offset + length;
    }
    yield* zeros(this.#sizeBytes - position);
  }

  /** Reads what follows the archive's end (it belongs to the layer's hash). */
  async drain(): Promise<void> {
    await this.#bytes.drain();
  }

  /** Gives up the rest of the archive. */
  async close(): Promise<void> {
    await this.#bytes.close();
  }

  async #header(): Promise<TarHeader | undefined> {
    const block = await this.#block();
    if (block === undefined) return undefined;
    if (!isZeroBlock(block)) return parseHeader(block);
    const second = await this.#block();
    if (second !== undefined && !isZeroBlock(second))
      throw new BadTarError('one zero block amid the archive');
    return undefined;
  }

  async #block(): Promise<Buffer | undefined> {
    const block = await this.#bytes.upTo(TAR_BLOCK_BYTES);
    if (block !== undefined && block.length < TAR_BLOCK_BYTES) throw new BadTarError('it ends amid a header');
    return block;
  }

  #expect(storedBytes: number): void {
    this.#left = storedBytes;
    this.#padding = (TAR_BLOCK_BYTES - (storedBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
    this.#ranges = undefined;
    this.#sizeBytes = storedBytes;
  }

  async #some(limit: number): Promise<Buffer> {
    const part = await this.#bytes.some(Math.min(limit, this.#left));
    if (part === undefined) throw new BadTarError('it ends in the middle of an entry');
    this.#left -= part.length;
    return part;
  }

  async #skip(): Promise<void> {
    for (let left = this.#left + this.#padding; left > 0; ) {
      const part = await this.#bytes.some(left);
      if (part === undefined) {
        if (left <= this.#padding) break;
        throw new BadTarError('it ends in the middle of an entry');
      }
      left -= part.length;
    }
    this.#left = 0;
    this.#padding = 0;
  }

  async #special(): Promise<Buffer> {
    if (this.#left > MAX_SPECIAL_BYTES) throw new BadTarError('records of over 1 MiB');
    const parts: Buffer[] = [];
    while (this.#left > 0) parts.push(await this.#some(this.#left));
    return Buffer.concat(parts);
  }

  async #sparse(entry: TarEntry, records: PaxRecord[]): Promise<void> {
    const sparse = entry.type === '0' ? sparseHeader(records) : undefined;
    if (!sparse) return;
    let map = sparse.map;
    if (!map) {
      const readBlock = async () => {
        if (this.#left < TAR_BLOCK_BYTES) throw new BadTarError('sparse map is cut off');
        const block = await this.#block();
        if (block === undefined) throw new BadTarError('it ends in the middle of an entry');
        this.#left -= TAR_BLOCK_BYTES;
        return block;
      };
      ({ map } = await readSparseMap(readBlock));
    }
    entry.name = sparse.name ?? entry.name;
    entry.sizeBytes = sparse.sizeBytes ?? entry.sizeBytes;
    checkSparseMap(map, entry.sizeBytes, this.#left);
    this.#ranges = map;
  }
}

function* zeros(length: number): Generator<Buffer> {
  for (let left = length; left > 0; left -= ZEROS.length) yield ZEROS.subarray(0, left);
}

function cString(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end);
}

/** An empty value takes a record back, so that the header's own field counts. */
function applyPax(entry: TarEntry, records: PaxRecord[]): void {
  for (const [key, bytes] of new Map(records)) {
    if (key.startsWith(XATTR_KEY)) {
      entry.xattrs.set(key.slice(XATTR_KEY.length), Buffer.from(bytes));
      continue;
    }
    if (bytes.length === 0) continue;
    const value = bytes.toString('latin1');
    if (key === 'path') entry.name = withoutNul(value);
    else if (key === 'linkpath') entry.linkName = withoutNul(value);
    else if (key === 'uid') entry.uid = parsePaxInteger(value);
    else if (key === 'gid') entry.gid = parsePaxInteger(value);
    else if (key === 'size') entry.sizeBytes = parsePaxInteger(value);
    else if (key === 'mtime') entry.modified = parsePaxTime(value);
  }
}

function withoutNul(value: string): string {
  if (value.includes('\0')) throw new BadTarError('NUL in a name');
  return value;
}
