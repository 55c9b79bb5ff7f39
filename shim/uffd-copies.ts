/**
 * Copies of the userfaultfds that CRIU's lazy-pages daemon holds. When a daemon dies, the kernel would close the last one and give zeros to
 * whoever touches a missing page; with a copy open, he waits instead, and can be killed.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { pidfdGetfd, pidfdOpen } from './pidfd.ts';

const USERFAULTFD = 'anon_inode:[userfaultfd]';

export class UffdCopies {
  readonly #pid: number;
  readonly #pidfd: number;
  readonly #copied = new Set<string>();

  constructor(pid: number) {
    this.#pid = pid;
    this.#pidfd = pidfdOpen(pid);
  }

  get count(): number {
    return this.#copied.size;
  }

  /** Takes those that are new. The daemon may be gone by now. */
  take(): void {
    let names: string[];
    try {
      names = readdirSync(`/proc/${this.#pid}/fd`);
    } catch {
      return;
    }
    for (const name of names) {
      if (this.#copied.has(name) || !this.#isUffd(name)) continue;
      try {
        pidfdGetfd(this.#pidfd, Number(name));
        this.#copied.add(name);
      } catch {
        // Closed meanwhile: that process has all of its memory.
      }
    }
  }

  #isUffd(name: string): boolean {
    try {
      return readlinkSync(`/proc/${this.#pid}/fd/${name}`) === USERFAULTFD;
    } catch {
      return false;
    }
  }
}
