/**
 * GNU's sparse files in pax archives (formats 0.0, 0.1 and 1.0 of the GNU tar manual): which ranges of the file are in the
 * archive; all else is zeros. The older 'S' entries are not taken, since containerd does not take them.
 */
import { BadTarError, parsePaxInteger, TAR_BLOCK_BYTES } from './tar-header.ts';

/** A range of the file whose bytes are in the archive. */
export interface DataRange {
  offset: number;
  length: number;
}

/** What the pax records say of a sparse file. */
export interface SparseHeader {
  name: string | undefined;
  sizeBytes: number | undefined;
  /** Absent in format 1.0, where the map stands at the start of the data. */
  map: DataRange[] | undefined;
}

const MAX_RANGES = 1_000_000;

/** undefined: an ordinary file. */
export function sparseHeader(records: ReadonlyArray<readonly [string, Buffer]>): SparseHeader | undefined {
  const last = new Map(records.map(([key, value]) => [key, value.toString('latin1')]));
  const version = `${last.get('GNU.sparse.major') ?? ''}.${last.get('GNU.sparse.minor') ?? ''}`;
  const inRecords = version === '0.0' || version === '0.1' || (version === '.' && isOldMap(records));
  if (version !== '1.0' && !inRecords) return undefined;
  const size = last.get('GNU.sparse.size') ?? last.get('GNU.sparse.realsize');
  return {
    name: last.get('GNU.sparse.name') || undefined,
    sizeBytes: size === undefined ? undefined : parsePaxInteger(size),
    map: inRecords ? mapOf(records) : undefined,
  };
}

function isOldMap(records: ReadonlyArray<readonly [string, Buffer]>): boolean {
  return records.some(([key]) => key === 'GNU.sparse.map' || key === 'GNU.sparse.offset');
}

/** 0.1: one list of numbers; 0.0: a record a number, the same keys again and again. */
function mapOf(records: ReadonlyArray<readonly [string, Buffer]>): DataRange[] {
  const numbers: number[] = [];
  for (const [key, value] of records) {
    const digits = value.toString('latin1');
    if (key === 'GNU.sparse.map') numbers.push(...digits.split(',').filter(Boolean).map(parsePaxInteger));
    else if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
      numbers.push(parsePaxInteger(digits));
  }
  return ranges(numbers);
}

function ranges(numbers: number[]): DataRange[] {
  if (numbers.length % 2 !== 0) throw new BadTarError('sparse map with an odd count of numbers');
  if (numbers.length > 2 * MAX_RANGES) throw new BadTarError('sparse map with too many ranges');
  return Array.from({ length: numbers.length / 2 }, (_, i) => ({
    offset: numbers[2 * i]!,
    length: numbers[2 * i + 1]!,
  }));
}

/** Format 1.0: lines of one decimal number each, the first their half count, filled up to whole tar blocks. */
export async function readSparseMap(
  readBlock: () => Promise<Buffer>,
): Promise<{ map: DataRange[]; bytesRead: number }> {
  const numbers: number[] = [];
  let rest = '';
  for (let bytesRead = TAR_BLOCK_BYTES; ; bytesRead += TAR_BLOCK_BYTES) {
    const lines = (rest + (await readBlock()).toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      numbers.push(parsePaxInteger(line));
      if (numbers[0]! < 0 || numbers[0]! > MAX_RANGES)
        throw new BadTarError('sparse map with too many ranges');
      if (numbers.length === 1 + 2 * numbers[0]!) return { map: ranges(numbers.slice(1)), bytesRead };
    }
    if (rest.length > TAR_BLOCK_BYTES) throw new BadTarError('sparse map without line ends');
  }
}

/** Ranges must rise, lie within the file and sum to the bytes that are in the archive. */
export function checkSparseMap(map: readonly DataRange[], sizeBytes: number, storedBytes: number): void {
  let end = 0;
  let sum = 0;
  for (const { offset, length } of map) {
    if (offset < end || length < 0 || offset + length > sizeBytes) throw new BadTarError('sparse map');
    end = offset + length;
    sum += length;
  }
  if (sum !== storedBytes) throw new BadTarError('sparse map does not sum to the stored bytes');
}
