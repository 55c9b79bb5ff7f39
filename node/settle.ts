/** After the start: gives back what only that needed, and keeps the heap close to what is in use from then on. */
import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimMalloc } from '../blocks/libc.ts';

/** Of itself V8 lets the heap grow up to fourfold before it collects, and buffers of blocks count as heap. */
const GROWTH_PERCENT = 30;

export function settle(): void {
  // Not on the command line: code that was compiled ahead under other flags, Node's own too, would be compiled anew.
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  // The bound follows from what is left after a collection.
  collect();
  // Node keeps what it has read of the compile cache, some 7 MB, until it has written it back.
  flushCompileCache();
  trimMalloc();
}
