/**
 * Reads the names in a tar and whether each is a directory's, nothing more. It reads what Go's archive/tar reads, so
 * every archive that containerd takes: ustar, pax, GNU's long names and binary numbers, the format of 1979, archives
 * that just stop and archives followed by something.
 */

export interface TarName {
  /** Bytes as a latin1 string, as they stand in the archive. */
  name: string;
  directory: boolean;
}

const BLOCK = 512;
/** Of pax headers and long names, which are held whole. */
const HEADER_LIMIT_BYTES = 1 << 20;

export async function* tarNames(archive: AsyncIterable<Buffer>): AsyncGenerator<TarName> {
  const input = new Reader(archive);
  let longName: string | undefined;
  for (;;) {
    const header = await input.take(BLOCK);
    if (header.length < BLOCK || header.every((byte) => byte === 0)) return;
    const flag = String.fromCharCode(header[156]!);
    const paddedBytes = Math.ceil(sizeOf(header) / BLOCK) * BLOCK;
    if (flag === 'x' || flag === 'L') {
      if (paddedBytes > HEADER_LIMIT_BYTES) throw new Error(`a tar header of ${paddedBytes} bytes`);
      const data = (await input.take(paddedBytes)).subarray(0, sizeOf(header));
      longName = (flag === 'L' ? text(data) : paxPath(data)) ?? longName;
      continue;
    }
    await input.skip(paddedBytes);
    if (flag === 'K' || flag === 'g') continue;
    const name = longName ?? shortName(header);
    longName = undefined;
    yield { name, directory: flag === '5' || (flag === '\0' && name.endsWith('/')) };
  }
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end === -1 ? field.length : end);
}

function shortName(header: Buffer): string {
  const name = text(header.subarray(0, 100));
  // Only POSIX's form has a prefix: GNU keeps times there.
  const prefix = header.toString('latin1', 257, 263) === 'ustar\0' ? text(header.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

function sizeOf(header: Buffer): number {
  const field = header.subarray(124, 136);
  if (field[0]! & 0x80) return Number(field.readBigUInt64BE(4));
  return Number.parseInt(text(field).trim() || '0', 8);
}

/** The value of `path` among records of the form `<length> <key>=<value>\n`. */
function paxPath(data: Buffer): string | undefined {
  let path: string | undefined;
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(' ', at);
    const length = Number(data.toString('latin1', at, space));
    if (!(length > space - at)) throw new Error('a pax record whose length makes no sense');
    const record = data.toString('latin1', space + 1, at + length - 1);
    if (record.startsWith('path=')) path = record.slice('path='.length);
    // GNU's sparse files are named here, their `path` is made up.
    if (record.startsWith('GNU.sparse.name=')) return record.slice('GNU.sparse.name='.length);
    at += length;
  }
  return path;
}

/** Takes bytes off a stream in pieces of any length. */
class Reader {
  #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Fewer bytes than asked for mean the end. */
  async take(length: number): Promise<Buffer> {
    while (this.#rest.length < length && (await this.#more())) {}
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async skip(length: number): Promise<void> {
    let left = length;
    while (left > this.#rest.length) {
      left -= this.#rest.length;
      this.#rest = Buffer.alloc(0);
      if (!(await this.#more())) return;
    }
    this.#rest = this.#rest.subarray(left);
  }

  async #more(): Promise<boolean> {
    const { value, done } = await this.#source.next();
    if (done) return false;
    this.#rest = this.#rest.length === 0 ? value : Buffer.concat([this.#rest, value]);
    return true;
  }
}
