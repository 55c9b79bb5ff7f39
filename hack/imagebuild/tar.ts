/**
 * A tar writer for archives that no ordinary tool would write: names are bytes taken as they are, parents may be
 * missing, a path may come twice, any numbers may stand in a header. Ustar headers, with a pax header before an
 * entry whose values do not fit.
 */

export type TarType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';

export interface TarEntry {
  /** Written as given: no slash is added or removed. */
  name: string | Buffer;
  type?: TarType;
  /** Permission bits, setuid and the like included. Default 0644, directories 0755, symlinks 0777. */
  mode?: number;
  uid?: number;
  gid?: number;
  /** Seconds since 1970, as a decimal that may be negative or have a fraction. */
  mtime?: string;
  /** Target of a symlink or hard link. */
  link?: string;
  /** Major and minor number of a device. */
  dev?: readonly [number, number];
  data?: Buffer | LazyData;
  xattrs?: Record<string, Buffer | string>;
  /** Further pax records, such as GNU's for sparse files. */
  pax?: Record<string, string>;
  /** Bytes written in place of all the above: a whole entry made by hand. */
  raw?: Buffer;
}

/** Data too large to be held: made piece by piece while it is written. */
export interface LazyData {
  sizeBytes: number;
  pieces: () => Iterable<Buffer>;
}

const TYPE_FLAG: Record<TarType, string> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
};
const DEFAULT_MODE: Partial<Record<TarType, number>> = { dir: 0o755, symlink: 0o777 };
const DEFAULT_MTIME = '1700000000';
const BLOCK = 512;

export const endOfArchive = Buffer.alloc(2 * BLOCK);

/** The bytes of an archive. `end` is what follows the last entry: two zero blocks, as the format wants. */
export function* tarBytes(entries: Iterable<TarEntry>, end: Buffer = endOfArchive): Generator<Buffer> {
  for (const entry of entries) yield* entryBytes(entry);
  if (end.length > 0) yield end;
}

function* entryBytes(entry: TarEntry): Generator<Buffer> {
  if (entry.raw) {
    yield entry.raw;
    return;
  }
  const pax = paxRecords(entry);
  if (pax.length > 0) {
    yield header({ name: 'PaxHeader', mode: 0o644 }, 'x', pax.length);
    yield padded(pax);
  }
  const { sizeBytes, pieces } = lazy(entry.data);
  yield header(entry, TYPE_FLAG[entry.type ?? 'file'], sizeBytes);
  yield* pieces();
  if (sizeBytes % BLOCK > 0) yield Buffer.alloc(BLOCK - (sizeBytes % BLOCK));
}

function lazy(data: TarEntry['data']): LazyData {
  if (data === undefined) return { sizeBytes: 0, pieces: () => [] };
  if (Buffer.isBuffer(data)) return { sizeBytes: data.length, pieces: () => [data] };
  return data;
}

const nameBytes = (name: string | Buffer): Buffer => (Buffer.isBuffer(name) ? name : Buffer.from(name));

/** What the fixed fields cannot hold, and what they have no place for. */
function paxRecords(entry: TarEntry): Buffer {
  const records: [string, Buffer][] = [];
  const add = (key: string, value: Buffer | string) => records.push([key, nameBytes(value)]);
  if (nameBytes(entry.name).length > 100) add('path', entry.name);
  if (Buffer.byteLength(entry.link ?? '') > 100) add('linkpath', entry.link ?? '');
  if ((entry.uid ?? 0) > 0o7777777) add('uid', String(entry.uid));
  if ((entry.gid ?? 0) > 0o7777777) add('gid', String(entry.gid));
  if (!isPlainTime(entry.mtime ?? DEFAULT_MTIME)) add('mtime', entry.mtime ?? DEFAULT_MTIME);
  for (const [key, value] of Object.entries(entry.xattrs ?? {})) add(`SCHILY.xattr.${key}`, value);
  for (const [key, value] of Object.entries(entry.pax ?? {})) add(key, value);
  return Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
}

const isPlainTime = (mtime: string): boolean => /^\d+$/.test(mtime) && Number(mtime) <= 0o77777777777;

/** `<length> <key>=<value>\n`, where the length counts its own digits too. */
export function paxRecord(key: string, value: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = body.length + 1;
  while (String(length).length + body.length !== length) length = String(length).length + body.length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

/** One ustar header. Values too large for their field are cut here and given in full by the pax header. */
export function header(entry: TarEntry, flag: string, sizeBytes: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const type = entry.type ?? 'file';
  const octal = (value: number, at: number, digits: number) =>
    block.write((value % 8 ** digits).toString(8).padStart(digits, '0'), at, 'latin1');
  nameBytes(entry.name).copy(block, 0, 0, 100);
  octal(entry.mode ?? DEFAULT_MODE[type] ?? 0o644, 100, 7);
  octal(entry.uid ?? 0, 108, 7);
  octal(entry.gid ?? 0, 116, 7);
  octal(sizeBytes, 124, 11);
  octal(Math.max(0, Math.floor(Number(entry.mtime ?? DEFAULT_MTIME))), 136, 11);
  block.write(flag, 156, 'latin1');
  Buffer.from(entry.link ?? '').copy(block, 157, 0, 100);
  block.write('ustar\0' + '00', 257, 'latin1');
  octal(entry.dev?.[0] ?? 0, 329, 7);
  octal(entry.dev?.[1] ?? 0, 337, 7);
  return withChecksum(block);
}

/** Fills in the checksum of a header, whatever else it holds. */
export function withChecksum(block: Buffer): Buffer {
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Data filled up with zeros to whole blocks. */
export function padded(data: Buffer): Buffer {
  return Buffer.concat([data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]);
}
