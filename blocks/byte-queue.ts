/** Reads exact counts of bytes from a stream of chunks; hands out parts of the chunks, without copying where it can. */
export class ByteQueue {
  readonly #source: AsyncIterator<Uint8Array>;
  #chunk: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least 1 and at most `limit` bytes; undefined at the end. */
  async some(limit: number): Promise<Buffer | undefined> {
    while (this.#chunk.length === 0) {
      const next = await this.#source.next();
      if (next.done) return undefined;
      const { buffer, byteOffset, byteLength } = next.value;
      this.#chunk = Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
    }
    const part = this.#chunk.subarray(0, limit);
    this.#chunk = this.#chunk.subarray(part.length);
    return part;
  }

  /** `length` bytes, or fewer when the stream ends before; undefined at the end. */
  async upTo(length: number): Promise<Buffer | undefined> {
    const first = await this.some(length);
    if (first === undefined || first.length === length) return first;
    const parts = [first];
    for (let have = first.length; have < length; ) {
      const part = await this.some(length - have);
      if (part === undefined) break;
      parts.push(part);
      have += part.length;
    }
    return Buffer.concat(parts);
  }

  /** Gives the stream up: what feeds it is closed. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  /** Reads to the end of the stream and drops it. */
  async drain(): Promise<void> {
    while ((await this.some(Number.MAX_SAFE_INTEGER)) !== undefined);
  }
}
