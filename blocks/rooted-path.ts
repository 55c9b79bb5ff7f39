/**
 * Resolves a path inside a root, so that no symlink and no `..` leads out of it, the way containerd's unpacking does
 * (continuity's fs.RootPath): what does not exist stays as written, the last component is followed too.
 */
import { posix } from 'node:path';

const MAX_LINKS = 255;

/** A path that loops or climbs through something that is no directory. */
export class UnresolvablePathError extends Error {
  constructor(path: string) {
    super(`path ${JSON.stringify(path)} cannot be resolved`);
    this.name = 'UnresolvablePathError';
  }
}

/** The components of a path, cleaned as if it were absolute. */
export function componentsOf(path: string): string[] {
  return posix.normalize(`/${path}`).split('/').filter(Boolean);
}

/** `readLink` answers the target of a symlink, undefined for all else. Throws `UnresolvablePathError`. */
export function resolveInRoot(
  path: string,
  readLink: (components: readonly string[]) => string | undefined,
): string[] {
  const todo = componentsOf(path);
  let done: string[] = [];
  for (let links = 0; todo.length > 0; ) {
    const candidate = [...done, todo.shift()!];
    const target = readLink(candidate);
    if (target === undefined) {
      done = candidate;
      continue;
    }
    if (++links > MAX_LINKS) throw new UnresolvablePathError(path);
    const from = target.startsWith('/') ? '' : done.join('/');
    todo.unshift(...componentsOf(`${from}/${target}`));
    done = [];
  }
  return done;
}
