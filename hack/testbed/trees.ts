/** Read-only trees that machines share, made once and kept in the cache under a name that changes with their content. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { removeFolder } from './folders.ts';
import { treesDir } from './paths.ts';
import { say } from './run.ts';
import { withLock } from './store.ts';

/** A short name for some content. */
export const digest = (...parts: (string | Buffer)[]): string => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex').slice(0, 12);
};

export const digestOfFile = (file: string): string => digest(readFileSync(file));

/**
 * The tree `kind-key`, made by `make` in a temporary place if it is not there: a tree that exists is complete.
 * Two commands that want the same tree make it once.
 */
export async function tree(
  kind: string,
  key: string,
  make: (target: string) => Promise<void>,
): Promise<string> {
  const path = join(treesDir, `${kind}-${key}`);
  if (existsSync(path)) return path;
  return withLock(join(treesDir, '..', 'locks', `tree-${kind}`), async () => {
    if (existsSync(path)) return path;
    say(`making ${kind} (once)`);
    const started = performance.now();
    await removeFolder(`${path}.new`);
    await make(`${path}.new`);
    renameSync(`${path}.new`, path);
    say(`made ${kind} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
    return path;
  });
}
