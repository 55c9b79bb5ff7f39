/** The memory of a dumped process in CRIU's images, by the addresses that it had. */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePagemap, type Pagemap, runAt } from '../blocks/pagemap.ts';
import { PAGE_BYTES } from '../blocks/types.ts';
import type { Range } from './missing.ts';

export interface Dump {
  /** What CRIU leaves for later. */
  lazyRanges(): Range[];
  /**
   * Fills the buffer from that address on, which one range has. Rejects with what read(2) says: of an image whose blocks do not come, that is
   * an error in the end.
   */
  read(address: number, into: Buffer): Promise<void>;
  close(): Promise<void>;
}

export class DumpMemory implements Dump {
  readonly #map: Pagemap;
  readonly #file: FileHandle;

  private constructor(map: Pagemap, file: FileHandle) {
    this.#map = map;
    this.#file = file;
  }

  /** `pid`: the process's in the dump. Rejects where there is none. */
  static async open(images: string, pid: number): Promise<DumpMemory> {
    const map = decodePagemap(await readFile(join(images, `pagemap-${pid}.img`)));
    return new DumpMemory(map, await open(join(images, `pages-${map.id}.img`)));
  }

  lazyRanges(): Range[] {
    return this.#map.runs
      .filter(({ isLazy }) => isLazy)
      .map(({ address, pages }) => ({ start: address, end: address + pages * PAGE_BYTES, dumped: address }));
  }

  async read(address: number, into: Buffer): Promise<void> {
    const run = runAt(this.#map, address);
    if (!run || address + into.length > run.address + run.pages * PAGE_BYTES)
      throw new Error(`the dump has no ${into.length} bytes at 0x${address.toString(16)}`);
    const from = run.at * PAGE_BYTES + address - run.address;
    for (let done = 0; done < into.length; ) {
      const { bytesRead } = await this.#file.read(into, done, into.length - done, from + done);
      if (bytesRead === 0) throw new Error(`pages-${this.#map.id}.img is cut off`);
      done += bytesRead;
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
