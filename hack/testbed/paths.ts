/** Where the test bed keeps things. All state lives in the cache folder, none in the checkout. */
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout that this file belongs to. */
export const checkout = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** Trees, tools and clusters; must be on a file system that overlayfs accepts as an upper layer. */
export const cacheDir = resolve(process.env.FORAGE_CACHE || '/var/cache/forage-dev');

export const treesDir = join(cacheDir, 'trees');
export const clustersDir = join(cacheDir, 'clusters');

/** A file beside this one. */
export const here = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), name);
