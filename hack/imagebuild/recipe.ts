/** The words in which recipes are written: kinds of layers, and what an image is. */
import type { TarEntry } from './tar.ts';

export type Layer =
  /** The root of a small Debian: the layer that most images share. */
  | { kind: 'debian' }
  /** A root of its own, of nothing but the files of these packages. */
  | { kind: 'slim'; packages: string[] }
  /** Packages upon the layers below, then a shell script in the same layer. */
  | { kind: 'install'; packages: string[]; script: string }
  /** Text files, by path; those with `#!` are executable. Their parents have no entries, as some builders write it. */
  | { kind: 'files'; files: Record<string, string> }
  /** Any tar at all. `end` replaces the usual end of the archive. Only layers of this kind and `files` may follow. */
  | { kind: 'tar'; entries: () => Iterable<TarEntry>; end?: Buffer };

export type Compression = 'gzip' | 'zstd' | 'none';

export interface Recipe {
  layers: Layer[];
  /** What runs when no command is given. */
  cmd: string[];
  entrypoint?: string[];
  env?: Record<string, string>;
  user?: string;
  /** Default: gzip. */
  compression?: Compression;
  /** A command that does real work and ends, in place of entrypoint and command, and a text that its output holds. */
  smoke: { argv: string[]; prints: string };
  /** Why containerd itself refuses to unpack the image, if it does: forage must then refuse it too. */
  refused?: string;
}

export const debian: Layer = { kind: 'debian' };
export const slim = (packages: string): Layer => ({ kind: 'slim', packages: packages.split(' ') });
export const install = (packages: string, script = ''): Layer => ({
  kind: 'install',
  packages: packages.split(' '),
  script,
});
export const files = (contents: Record<string, string>): Layer => ({ kind: 'files', files: contents });
export const tar = (entries: () => Iterable<TarEntry>, end?: Buffer): Layer => ({
  kind: 'tar',
  entries,
  end,
});
