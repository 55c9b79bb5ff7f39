/** Gives back what only the start needed: Node keeps all that it has read of its compile cache, some 7 MB, until it is flushed. */
import { flushCompileCache } from 'node:module';
import { trimMalloc } from '../blocks/libc.ts';

export function settle(): void {
  flushCompileCache();
  trimMalloc();
}
