/** Which pages of a dump a restored container has used first: page faults by their addresses become pages of the dump's files. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodePagemap, type Pagemap, runAt } from '../blocks/pagemap.ts';
import { PAGE_BYTES } from '../blocks/types.ts';
import { MAX_TOUCHED, type Touched } from './protocol.ts';

export interface Fault {
  /** The process's in the dump. */
  pid: number;
  /** As the dump has it. */
  address: number;
}

/** In the order of first use; what no map covers is left out. `images`: CRIU's folder. Rejects where that cannot be read. */
export async function touchedPages(images: string, faults: readonly Fault[]): Promise<Touched> {
  const maps = new Map<number, Pagemap>();
  const seen = new Set<string>();
  const touched: Touched = [];
  for (const { pid, address } of faults) {
    const map = maps.get(pid) ?? decodePagemap(await readFile(join(images, `pagemap-${pid}.img`)));
    maps.set(pid, map);
    const run = runAt(map, address);
    if (!run) continue;
    const page = run.at + Math.floor((address - run.address) / PAGE_BYTES);
    const key = `${map.id} ${page}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (!add(touched, map.id, page)) break;
  }
  return touched;
}

/** Whether there was room. */
function add(touched: Touched, id: number, page: number): boolean {
  const last = touched.at(-1);
  if (last && last[0] === id && last[1] + last[2] === page) last[2]++;
  else if (touched.length === MAX_TOUCHED) return false;
  else touched.push([id, page, 1]);
  return true;
}
