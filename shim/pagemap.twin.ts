/** CRIU's images of memory for tests: maps, and files of pages whose bytes tell which page they are. */
import protobuf from 'google-protobuf';
import { PAGE_BYTES } from '../blocks/types.ts';

export const LAZY = 2;
export const PRESENT = 4;

export interface EntryTwin {
  address: number;
  pages: number;
  flags?: number;
  /** As CRIU before 4.2 wrote it: 32 bits. */
  isOld?: boolean;
}

export function pagemapImage(id: number, entries: readonly EntryTwin[]): Buffer {
  const magics = Buffer.alloc(8);
  magics.writeUInt32LE(0x54564319, 0);
  magics.writeUInt32LE(0x56084025, 4);
  const head = message((writer) => writer.writeUint32(1, id));
  const bodies = entries.map(({ address, pages, flags, isOld }) =>
    message((writer) => {
      writer.writeUint64(1, address);
      writer.writeUint32(2, isOld ? pages : 0);
      if (flags !== undefined) writer.writeUint32(4, flags);
      if (!isOld) writer.writeUint64(5, pages);
    }),
  );
  return Buffer.concat([magics, head, ...bodies]);
}

function message(write: (writer: protobuf.BinaryWriter) => void): Buffer {
  const writer = new protobuf.BinaryWriter();
  write(writer);
  const body = writer.getResultBuffer();
  const length = Buffer.alloc(4);
  length.writeUInt32LE(body.length);
  return Buffer.concat([length, body]);
}

/** Each page begins with its number, counted from `first`. */
export function pagesImage(pages: number, first = 0): Buffer {
  const image = Buffer.alloc(pages * PAGE_BYTES, 7);
  for (let i = 0; i < pages; i++) image.writeUInt32LE(first + i, i * PAGE_BYTES);
  return image;
}
