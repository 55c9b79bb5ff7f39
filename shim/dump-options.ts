/**
 * CRIU's options for a dump that runc has no flags for, in a file that CRIU reads (criu(8), CRIU_CONFIG_FILE) before what runc asks of it. Files
 * that are open and were deleted come along; CRIU itself refuses those of an image's layer and those of more than a MiB. A watch of a folder
 * that CRIU does not find by its number is looked for in all of the container.
 */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasConnections } from './connections.ts';

/** Of the kernel: no program watches them, and they have no end. */
const KERNELS = ['proc', 'sys', 'dev'];
/** The most files, and the least likely to be watched. */
const LAST = ['usr', 'lib', 'lib64', 'bin', 'sbin'];

/**
 * `process`: a frozen container's folder in /proc. Answers what is to be in CRIU's environment. With no connection to guard from packets that come
 * while nobody has it, CRIU need not start iptables for that, several times, and neither need a restore: it does as the dump did.
 */
export async function dumpOptions(process: string, path: string): Promise<Record<string, string>> {
  const [scan, connected] = await Promise.all([folders(join(process, 'root')), hasConnections(process)]);
  const lines = ['link-remap', 'ghost-limit 1G', ...scan.map(scanned)];
  if (!connected) lines.push('network-lock skip');
  await writeFile(path, `${lines.join('\n')}\n`, { mode: 0o600 });
  return { CRIU_CONFIG_FILE: path };
}

const scanned = (folder: string): string => `irmap-scan-path /${folder}`;

async function folders(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory() && /^[\w.-]+$/.test(entry.name))
    .map(({ name }) => name)
    .filter((name) => !KERNELS.includes(name))
    .sort();
  return [...names.filter((name) => !LAST.includes(name)), ...names.filter((name) => LAST.includes(name))];
}
