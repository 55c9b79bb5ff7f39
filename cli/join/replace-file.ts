/** Files of the configuration are replaced whole: a crash leaves the old one or the new one. */
import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** `mode` is that of a new file; one that is there keeps its own, and its owner, unless `strict`. */
export async function replaceFile(
  path: string,
  text: string,
  mode: number,
  { strict = false } = {},
): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const before = strict ? undefined : await stat(path).catch(() => undefined);
  const fresh = `${path}.new-${process.pid}`;
  try {
    const handle = await open(fresh, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      if (before) await handle.chown(before.uid, before.gid);
      await handle.chmod(before ? before.mode & 0o777 : mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
  const folder = await open(dirname(path));
  await folder.sync().finally(() => folder.close());
}
