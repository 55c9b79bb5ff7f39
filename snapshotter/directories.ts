/** The unpacked snapshots: `<root>/snapshots/<id>/fs`, and `work` beside it for overlayfs. */
import { chown, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Trash } from './trash.ts';

/** Who owns the root of a new snapshot: as in its parent. */
export interface Owner {
  uid: number;
  gid: number;
}

export class Directories {
  readonly #folder: string;
  readonly #trash: Trash;
  /** Made, but perhaps not in the records yet: no orphans. */
  readonly #young = new Set<number>();

  private constructor(folder: string, trash: Trash) {
    this.#folder = folder;
    this.#trash = trash;
  }

  static async open(folder: string, trash: Trash): Promise<Directories> {
    await mkdir(folder, { recursive: true, mode: 0o711 });
    return new Directories(folder, trash);
  }

  upper(id: number): string {
    return join(this.#folder, String(id), 'fs');
  }

  work(id: number): string {
    return join(this.#folder, String(id), 'work');
  }

  /** Makes the directories, runs `record` and, if that fails, takes them away again. */
  async createFor<T>(id: number, owner: Owner, record: () => Promise<T>): Promise<T> {
    this.#young.add(id);
    try {
      await mkdir(join(this.#folder, String(id)), { mode: 0o700 });
      await mkdir(this.upper(id), { mode: 0o755 });
      await mkdir(this.work(id), { mode: 0o711 });
      if (owner.uid !== 0 || owner.gid !== 0) await chown(this.upper(id), owner.uid, owner.gid);
      return await record();
    } catch (error) {
      await this.discard(id);
      throw error;
    } finally {
      this.#young.delete(id);
    }
  }

  /** Out of the way at once, deleted in the background. */
  async discard(id: number): Promise<void> {
    await this.#trash.discard(join(this.#folder, String(id)));
  }

  /** Discards every directory that no record has. */
  async sweep(isKept: (id: number) => boolean): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      const id = Number(name);
      if (this.#young.has(id) || isKept(id)) continue;
      await this.#trash.discard(join(this.#folder, name));
    }
  }
}
