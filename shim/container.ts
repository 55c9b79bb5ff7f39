/** What there is to know of a container, without a process: from runc's state, the bundle and the mount table. */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import * as v from 'valibot';
import { rootfsOf } from './bundle.ts';
import type { ContainerFacts } from './protocol.ts';

/** The parts of runc's state.json (libcontainer's State) that are used. */
const stateSchema = v.object({
  init_process_pid: v.number(),
  cgroup_paths: v.nullish(v.record(v.string(), v.string())),
  config: v.object({ rootfs: v.string(), labels: v.nullish(v.array(v.string())) }),
});

export interface Overlay {
  /** Nearest first. */
  lowers: string[];
  upper: string | undefined;
}

export interface Running {
  facts: ContainerFacts;
  pid: number;
  upper: string | undefined;
  cgroups: Record<string, string>;
}

/** containerd keeps a namespace's containers in `/run/containerd/runc/<namespace>`. */
export function namespaceOf(root: string): string {
  return basename(dirname(root)) === 'runc' ? basename(root) : '';
}

/** Of a container that runc knows. */
export async function runningContainer(root: string, id: string): Promise<Running> {
  const state = v.parse(stateSchema, JSON.parse(await readFile(join(root, id, 'state.json'), 'utf8')));
  const bundle = state.config.labels?.find((label) => label.startsWith('bundle='))?.slice('bundle='.length);
  const overlay = await overlayAt(state.config.rootfs);
  return {
    facts: {
      id,
      namespace: namespaceOf(root),
      bundle: bundle ?? dirname(state.config.rootfs),
      root,
      lowers: overlay?.lowers ?? [],
    },
    pid: state.init_process_pid,
    upper: overlay?.upper,
    cgroups: state.cgroup_paths ?? {},
  };
}

/** Of a container that is to be restored, and where its root file system is. */
export async function comingContainer(
  root: string,
  id: string,
  bundle: string,
): Promise<{ facts: ContainerFacts; rootfs: string }> {
  const rootfs = await rootfsOf(bundle);
  const overlay = await overlayAt(rootfs);
  const facts = { id, namespace: namespaceOf(root), bundle, root, lowers: overlay?.lowers ?? [] };
  return { facts, rootfs };
}

/** proc_pid_mountinfo(5); the last mount at a point is the one that is seen. undefined: no overlay. */
async function overlayAt(point: string): Promise<Overlay | undefined> {
  return overlayIn(await readFile('/proc/self/mountinfo', 'utf8'), point);
}

export function overlayIn(mountinfo: string, point: string): Overlay | undefined {
  const found = mountinfo.split('\n').findLast((line) => unescaped(line.split(' ')[4] ?? '') === point);
  const [type, , options = ''] = found?.split(' - ')[1]?.split(' ') ?? [];
  if (type !== 'overlay') return undefined;
  const option = (name: string) => {
    const prefix = `${name}=`;
    const value = options.split(',').find((candidate) => candidate.startsWith(prefix));
    return value === undefined ? undefined : unescaped(value.slice(prefix.length));
  };
  return { lowers: (option('lowerdir') ?? '').split(':').filter(Boolean), upper: option('upperdir') };
}

/** Blanks and the like are written as `\` and three octal digits. */
function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** Whether its processes are frozen: containerd pauses a container around a checkpoint, others do not. */
export async function isFrozen({ cgroups }: Pick<Running, 'cgroups'>): Promise<boolean> {
  const { freezer, '': unified } = cgroups;
  if (freezer) return (await textOf(join(freezer, 'freezer.state'))).trim() === 'FROZEN';
  return unified !== undefined && /^frozen 1$/m.test(await textOf(join(unified, 'cgroup.events')));
}

/** Resident memory of all of its processes: about what a dump will take. */
export async function residentBytes({ cgroups, pid }: Pick<Running, 'cgroups' | 'pid'>): Promise<number> {
  const PAGE_BYTES = 4096;
  const folder = cgroups[''] ?? cgroups.freezer ?? Object.values(cgroups)[0];
  const listed = folder === undefined ? '' : await textOf(join(folder, 'cgroup.procs'));
  const pids = listed.trim() === '' ? [String(pid)] : listed.trim().split('\n');
  const sizes = await Promise.all(
    pids.map(async (one) => Number((await textOf(`/proc/${one}/statm`)).split(' ')[1] ?? 0)),
  );
  return sizes.reduce((sum, pages) => sum + pages * PAGE_BYTES, 0);
}

/** '' where there is none, since a process may end meanwhile. */
async function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
