/**
 * Deletes big directories without anybody waiting for it. A directory first moves into the trash folder (one rename on
 * the same file system), so that its old name is free at once and a crash leaves nothing that could be taken for a snapshot.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';

export class Trash {
  readonly #folder: string;
  readonly #logger: Logger;
  #sequence = 0;
  /** Ends when all that was thrown in so far is gone; one tree at a time, so that a pull beside it is not slowed. */
  #emptied: Promise<void> = Promise.resolve();

  private constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Also takes up what an earlier process left. */
  static async open(folder: string, logger: Logger): Promise<Trash> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const trash = new Trash(folder, logger);
    for (const name of await readdir(folder)) {
      trash.#sequence = Math.max(trash.#sequence, Number.parseInt(name, 10) || 0);
      trash.#deleteLater(join(folder, name));
    }
    return trash;
  }

  /** Resolves once the directory is out of the way; does nothing where there is none. */
  async discard(path: string): Promise<void> {
    const doomed = join(this.#folder, String(++this.#sequence));
    try {
      await rename(path, doomed);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    this.#deleteLater(doomed);
  }

  emptied(): Promise<void> {
    return this.#emptied;
  }

  #deleteLater(path: string): void {
    this.#emptied = this.#emptied.then(() =>
      rm(path, { recursive: true, force: true }).catch((error: unknown) => {
        this.#logger.warn({ path, err: error }, 'trash not deleted; the next start tries again');
      }),
    );
  }
}
