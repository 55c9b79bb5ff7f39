/**
 * The lower paths that containerd gets: one symlink a committed snapshot, `<run>/l/<id in base 36, 4 digits or more>`, first
 * to its directory, later to its EROFS mount point. A link changes by rename, so a mount sees the old or the new target,
 * never none. They live on a tmpfs: after a boot they are made again from the records.
 */
import { mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What a crash between symlink and rename leaves. */
const FRESH = '.new';

export class Links {
  readonly #folder: string;
  readonly #targets: Map<number, string>;
  #sequence = 0;

  private constructor(folder: string, targets: Map<number, string>) {
    this.#folder = folder;
    this.#targets = targets;
  }

  static async open(folder: string): Promise<Links> {
    await mkdir(folder, { recursive: true, mode: 0o711 });
    const targets = new Map<number, string>();
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (name.endsWith(FRESH)) await rm(path);
      else targets.set(Number.parseInt(name, 36), await readlink(path));
    }
    return new Links(folder, targets);
  }

  path(id: number): string {
    return join(this.#folder, id.toString(36).padStart(4, '0'));
  }

  target(id: number): string | undefined {
    return this.#targets.get(id);
  }

  async point(id: number, target: string): Promise<void> {
    if (this.#targets.get(id) === target) return;
    const fresh = `${this.path(id)}.${++this.#sequence}${FRESH}`;
    await symlink(target, fresh);
    await rename(fresh, this.path(id));
    this.#targets.set(id, target);
  }

  async remove(id: number): Promise<void> {
    this.#targets.delete(id);
    await rm(this.path(id), { force: true });
  }

  ids(): number[] {
    return [...this.#targets.keys()];
  }
}
