/**
 * Applies a layer's tar to a tree, with the same result as containerd's own unpacking (its pkg/archive) into the upper
 * directory of an overlay, or, for an image's lowest layer, into a plain directory. Facts, each with a test:
 * - The entry of the root is ignored. Names are cleaned and cannot leave the root; symlinks in parents are followed inside it.
 * - A parent that no entry made takes mode, owner and xattrs of the nearest lower layer's directory, else 0755 root.
 *   What is put in it sets its time to that of the unpacking there; here to that of the first such entry, so that all
 *   nodes agree. If there is but an opaque marker, it keeps the lower's time.
 * - What stands under a name is removed first, unless both are directories: then only the attributes change.
 * - A hard link sets the inode's attributes again. Its target must be in this very layer.
 * - `trusted.*` xattrs, those of unknown name spaces, and `user.*` on what is neither file nor directory are skipped.
 * - Times before 1970 or after 2262 become 1970. Directories' times are set last, by name.
 * - In an overlay `.wh.x` becomes a device 0:0, `.wh..wh..opq` an xattr; in the lowest layer both remove what is there.
 */
import {
  type Attributes,
  type Content,
  childrenOf,
  EPOCH,
  find,
  type Inode,
  newDirectory,
  newWhiteout,
  OPAQUE_XATTR,
} from './layer-tree.ts';
import { componentsOf, resolveInRoot } from './rooted-path.ts';
import { BadTarError, type Time } from './tar-header.ts';
import type { TarEntry } from './tar-read.ts';

/** What an implied parent takes from the lower layers; undefined: none of them has the directory. */
export type LowerDirectory = (components: readonly string[]) => Attributes | undefined;

/** An archive that containerd would not have unpacked either, or whose result depends on the machine. */
export class UnsupportedLayerError extends Error {
  constructor(entry: { name: string }, why: string) {
    super(`entry ${JSON.stringify(entry.name)}: ${why}`);
    this.name = 'UnsupportedLayerError';
  }
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** 2^63 - 1 nanoseconds, where containerd's clock ends. */
const MAX_SECONDS = 9_223_372_036;
const MAX_ID = 2 ** 32 - 2;
const MAX_MAJOR = 2 ** 12 - 1;
const MAX_MINOR = 2 ** 20 - 1;
/** Bounds the memory of a hostile archive: some 500 bytes an entry. */
const MAX_ENTRIES = 1_000_000;

interface Place {
  parent: Inode;
  children: Map<string, Inode>;
  name: string;
}

export class LayerApply {
  readonly root: Inode = newDirectory();
  readonly #isLowest: boolean;
  readonly #lowerDirectory: LowerDirectory;
  readonly #directories: Array<{ name: string; modified: Time }> = [];
  /** Inodes that an entry named, as against implied parents. */
  readonly #described = new Set<Inode>();
  /** Implied parents in which nothing has been put. */
  readonly #untouched = new Set<Inode>();
  #entries = 0;

  /** `isLowest`: the layer has no parent, so containerd unpacks it without an overlay. */
  constructor(isLowest: boolean, lowerDirectory: LowerDirectory) {
    this.#isLowest = isLowest;
    this.#lowerDirectory = lowerDirectory;
  }

  /** `ordinal` names the entry's data for later. Throws `UnsupportedLayerError`, `BadTarError`, `UnresolvablePathError`. */
  add(entry: TarEntry, ordinal: number): void {
    if (++this.#entries > MAX_ENTRIES) throw new BadTarError(`over ${MAX_ENTRIES} entries`);
    const place = this.#place(entry);
    if (place === undefined) return;
    const { parent, children, name } = place;
    if (name === OPAQUE) {
      this.#opaque(parent);
      return;
    }
    if (this.#untouched.delete(parent)) parent.modified = bounded(entry.modified);
    if (name.startsWith(WHITEOUT)) this.#whiteout(entry, children, name.slice(WHITEOUT.length));
    else this.#put(entry, children, name, ordinal);
  }

  #put(entry: TarEntry, children: Map<string, Inode>, name: string, ordinal: number): void {
    const old = children.get(name);
    const merges = entry.type === '5' && old?.content.type === 'directory';
    if (!merges) children.delete(name);
    if (entry.type === 'g') return;
    const inode = merges ? old : this.#inode(entry, ordinal);
    children.set(name, inode);
    setAttributes(inode, entry);
    this.#described.add(inode);
    if (entry.type === '5') this.#directories.push({ name: entry.name, modified: inode.modified });
  }

  /** After the last entry: the times of directories. */
  finish(): void {
    for (const { name, modified } of this.#directories) {
      const inode = find(this.root, this.#resolve(name));
      if (!inode) throw new UnsupportedLayerError({ name }, 'its directory is gone at the end');
      inode.modified = modified;
    }
  }

  /** Where the entry goes; undefined for the root itself. */
  #place(entry: TarEntry): Place | undefined {
    const clean = componentsOf(entry.name);
    const name = clean.pop();
    if (name === undefined) return undefined;
    return { ...this.#makeParents(entry, this.#resolve(clean.join('/'))), name };
  }

  #resolve(path: string): string[] {
    return resolveInRoot(path, (components) => {
      const content = find(this.root, components)?.content;
      return content?.type === 'symlink' ? content.target : undefined;
    });
  }

  #makeParents(entry: TarEntry, path: readonly string[]): Omit<Place, 'name'> {
    let parent = this.root;
    let children = childrenOf(parent)!;
    path.forEach((name, depth) => {
      const next = children.get(name) ?? this.#implied(path.slice(0, depth + 1));
      const below = childrenOf(next);
      if (!below) throw new UnsupportedLayerError(entry, 'its parent is no directory');
      if (!children.has(name) && this.#untouched.delete(parent)) parent.modified = bounded(entry.modified);
      children.set(name, next);
      parent = next;
      children = below;
    });
    return { parent, children };
  }

  #implied(path: readonly string[]): Inode {
    const inode = newDirectory(this.#lowerDirectory(path));
    this.#untouched.add(inode);
    return inode;
  }

  #opaque(directory: Inode): void {
    if (this.#isLowest) this.#removeImplied(directory);
    else directory.xattrs.set(OPAQUE_XATTR, Buffer.from('y'));
  }

  /** Without an overlay, containerd empties the directory of all that no entry of this layer named. */
  #removeImplied(directory: Inode): void {
    for (const [name, child] of childrenOf(directory)!) {
      if (!this.#described.has(child)) childrenOf(directory)!.delete(name);
      else if (childrenOf(child)) this.#removeImplied(child);
    }
  }

  #whiteout(entry: TarEntry, children: Map<string, Inode>, name: string): void {
    if (name === '' || name === '.' || name === '..')
      throw new UnsupportedLayerError(entry, 'invalid whiteout');
    if (this.#isLowest) {
      children.delete(name);
      return;
    }
    if (children.has(name)) throw new UnsupportedLayerError(entry, 'it deletes what its own layer made');
    children.set(name, newWhiteout(checkedId(entry, entry.uid), checkedId(entry, entry.gid)));
  }

  #inode(entry: TarEntry, ordinal: number): Inode {
    if (entry.type === '1') return this.#linkTarget(entry);
    return {
      mode: 0,
      uid: 0,
      gid: 0,
      modified: EPOCH,
      xattrs: new Map(),
      content: contentOf(entry, ordinal),
    };
  }

  #linkTarget(entry: TarEntry): Inode {
    const clean = componentsOf(entry.linkName);
    const name = clean.pop();
    const target =
      name === undefined ? undefined : find(this.root, [...this.#resolve(clean.join('/')), name]);
    if (!target)
      throw new UnsupportedLayerError(entry, `hard link to ${entry.linkName}, which its layer lacks`);
    if (childrenOf(target)) throw new UnsupportedLayerError(entry, 'hard link to a directory');
    return target;
  }
}

function contentOf(entry: TarEntry, ordinal: number): Content {
  switch (entry.type) {
    case '0':
      return { type: 'file', sizeBytes: entry.sizeBytes, source: ordinal };
    case '2':
      if (entry.linkName === '') throw new UnsupportedLayerError(entry, 'empty symlink');
      return { type: 'symlink', target: entry.linkName };
    case '3':
    case '4': {
      const { deviceMajor: major, deviceMinor: minor } = entry;
      if (major < 0 || major > MAX_MAJOR || minor < 0 || minor > MAX_MINOR) {
        throw new UnsupportedLayerError(entry, `device ${major}:${minor}`);
      }
      return { type: entry.type === '3' ? 'char' : 'block', major, minor };
    }
    case '5':
      return { type: 'directory', children: new Map() };
    case '6':
      return { type: 'fifo' };
    default:
      throw new UnsupportedLayerError(entry, `type ${JSON.stringify(entry.type)}`);
  }
}

function setAttributes(inode: Inode, entry: TarEntry): void {
  inode.uid = checkedId(entry, entry.uid);
  inode.gid = checkedId(entry, entry.gid);
  inode.mode = inode.content.type === 'symlink' ? 0o777 : entry.mode;
  inode.modified = bounded(entry.modified);
  // chown takes a file's capability away; it stays only when this very entry brings it.
  if (!childrenOf(inode)) inode.xattrs.delete('security.capability');
  for (const [name, value] of entry.xattrs) {
    if (keepsXattr(entry, inode, name)) inode.xattrs.set(name, value);
  }
}

function checkedId(entry: TarEntry, id: number): number {
  if (id < 0 || id > MAX_ID) throw new UnsupportedLayerError(entry, `owner ${id}`);
  return id;
}

function bounded(time: Time): Time {
  const { seconds, nanoseconds } = time;
  return seconds < 0 || nanoseconds < 0 || seconds >= MAX_SECONDS ? EPOCH : time;
}

function keepsXattr(entry: TarEntry, inode: Inode, name: string): boolean {
  const { type } = inode.content;
  if (name.startsWith('user.')) return type === 'file' || type === 'directory';
  // The kernel rewrites ACLs on chmod: what is left of them only the unpacked directory tells.
  if (name.startsWith('system.posix_acl')) throw new UnsupportedLayerError(entry, `xattr ${name}`);
  return name.startsWith('security.');
}
