/** Clusters on disk: one folder each, `cluster.json` in it, and a lock so that two commands do not change one at once. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import koffi from 'koffi';
import { type Cluster, checkClusterName, clusterSchema } from './model.ts';
import { clustersDir } from './paths.ts';
import { poll, say, UserError } from './run.ts';

export const clusterDir = (name: string): string => join(clustersDir, checkClusterName(name));
const recordOf = (name: string): string => join(clusterDir(name), 'cluster.json');

export const exists = (name: string): boolean => existsSync(recordOf(name));

/** Names of all clusters that have a folder, also of those that were never finished. */
export const list = (): string[] => (existsSync(clustersDir) ? readdirSync(clustersDir).sort() : []);

export function load(name: string): Cluster {
  if (!exists(name)) {
    const others = list().filter(exists);
    const hint = others.length
      ? `there is: ${others.join(', ')} (choose with --name)`
      : 'make one with hack/cluster up 3';
    throw new UserError(`there is no cluster "${name}"; ${hint}`);
  }
  const parsed = clusterSchema.safeParse(JSON.parse(readFileSync(recordOf(name), 'utf8')));
  if (parsed.success) return parsed.data;
  throw new UserError(
    `${recordOf(name)} is from another version of hack/cluster: hack/cluster down --name ${name}`,
  );
}

export function save(cluster: Cluster): void {
  const file = recordOf(cluster.name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(cluster, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

const libc = koffi.load(null);
const flock = libc.func('int flock(int fd, int operation)');
const exclusiveNow = 2 | 4; // LOCK_EX | LOCK_NB

/** Runs `work` while nobody else holds the lock `file`; it ends with this process, however that ends. */
export async function withLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const fd = openSync(file, 'w');
  try {
    if (flock(fd, exclusiveNow) !== 0) {
      say(`waiting for another command that holds ${file}`);
      const held = await poll(30 * 60_000, 200, () => (flock(fd, exclusiveNow) === 0 ? true : undefined));
      if (!held) throw new UserError(`${file} is held by another command for half an hour`);
    }
    return await work();
  } finally {
    closeSync(fd);
  }
}

/** The lock of one cluster lies beside its folder, so that `down` can remove the folder while holding it. */
export const withCluster = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  withLock(join(clustersDir, '..', 'locks', checkClusterName(name)), work);
