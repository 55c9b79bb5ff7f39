/** How images are made. A format id names all that decides an image's bytes, so one layer in one format has one root. */
import { hash } from 'node:crypto';

/** Levels are fixed: nodes with different ones would share no block. */
const MKFS_COMPRESSION = {
  none: [],
  lz4: ['-zlz4', '-C65536'],
  lz4hc: ['-zlz4hc,level=9', '-C65536'],
  zstd: ['-zzstd,level=3', '-C65536'],
} as const;

export type Compression = keyof typeof MKFS_COMPRESSION;

export function isCompression(name: string): name is Compression {
  return Object.hasOwn(MKFS_COMPRESSION, name);
}

/** Counts up when the order of the tar, mkfs.erofs's options or the sizes of blocks change. */
const VERSION = 1;

/** `tar`: from the layer's own archive, the same on every node. `walk`: from an unpacked directory, true for this node only. */
export function formatId(origin: 'tar' | 'walk', compression: Compression): string {
  return `erofs-${origin}-${compression}-${VERSION}`;
}

/** A dump's folder (`memory-volume.ts`): made once, on one node. */
export const MEMORY_FORMAT = `erofs-memory-${VERSION}`;

/**
 * Options that make mkfs.erofs (1.8.6 to 1.9) deterministic. File tails stay out of the inodes: metadata are then some
 * 0.5% of the image instead of 3.5%, and they are what must be here before a layer can be mounted.
 */
export function mkfsOptions(name: string, compression: Compression): string[] {
  return [
    '--tar=f',
    '--quiet',
    '-b4096',
    ...MKFS_COMPRESSION[compression],
    '-Enoinline_data',
    '-T0',
    '--mkfs-time',
    `-U${uuidOf(name)}`,
  ];
}

/** Each layer's own (by its chainID), since overlayfs tells lowers apart by it. Version 8 of RFC 9562: 122 bits of our choice. */
export function uuidOf(name: string): string {
  const digits = hash('sha256', `forage volume of ${name}`, 'hex');
  const variant = '89ab'[Number.parseInt(digits[16]!, 16) & 3];
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `8${digits.slice(13, 16)}`,
    `${variant}${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
