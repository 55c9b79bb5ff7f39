/**
 * What stands by the guard itself. If it dies, the kernel would close its userfaultfds and give zeros to whoever touches missing memory; this
 * process of a megabyte holds copies of them, so he waits instead, and when its standard input ends without a word, the container is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ContainerFacts } from './protocol.ts';
import { RUNC } from './runc.ts';

const SCRIPT = `read -r word || for again in 0.1 0.5 1 2; do "$@" && break; sleep $again; done`;

export class Holder {
  readonly #kill: readonly string[];
  #child: ChildProcess | undefined;

  constructor({ root, id }: ContainerFacts) {
    this.#kill = [RUNC, '--root', root, 'kill', '--all', id, 'KILL'];
  }

  /** In place of those held before. Copies are there when this returns. Throws where no process can be made. */
  hold(uffds: readonly number[]): void {
    const child = spawn('sh', ['-c', SCRIPT, 'sh', ...this.#kill], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore', ...uffds],
    });
    child.on('error', () => {}); // then it has no pid
    if (!child.pid) throw new Error('no process can be made to hold copies of userfaultfds');
    child.stdin?.on('error', () => {});
    const before = this.#child;
    this.#child = child;
    before?.stdin?.end('done\n');
  }

  /** Resolves when the copies are closed. */
  async release(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.stdin?.end('done\n');
    await ended;
  }
}
