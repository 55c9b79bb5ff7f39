/**
 * CRIU's options for a dump that runc has no flags for, in a file that CRIU reads (criu(8), CRIU_CONFIG_FILE) before what runc asks of it. Files
 * that are open and were deleted come along; CRIU itself refuses those of an image's layer and those of more than a MiB. A watch of a folder
 * that CRIU does not find by its number is looked for in all of the container.
 */
import { readdir, writeFile } from 'node:fs/promises';

/** Of the kernel: no program watches them, and they have no end. */
const KERNELS = ['proc', 'sys', 'dev'];
/** The most files, and the least likely to be watched. */
const LAST = ['usr', 'lib', 'lib64', 'bin', 'sbin'];

/** `root`: the container's, as the machine sees it. Answers what is to be in CRIU's environment. */
export async function dumpOptions(root: string, path: string): Promise<Record<string, string>> {
  const lines = ['link-remap', 'ghost-limit 1G', ...(await folders(root)).map(scanned)];
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
