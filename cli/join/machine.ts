/** What joining does to a machine besides its files. Tests use one of their own. */
import { execFile } from 'node:child_process';
import { connect } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_CONFIG_FILE } from '../../node/config/config.ts';
import { splitAddress } from '../../node/config/option.ts';
import { exists } from '../settings.ts';

/** Longer than the units' own time to start. */
const SYSTEMCTL_TIMEOUT_MS = 120_000;
const CONNECT_TIMEOUT_MS = 2000;

export interface Machine {
  stdin: Readable;
  /** The configuration file that the units name. */
  unitsRead: string;
  /** Whether systemd runs it. */
  hasSystemd(): Promise<boolean>;
  /** Answers whether it went well, and what was printed. */
  systemctl(...args: string[]): Promise<{ ok: boolean; text: string }>;
  /** Why nothing can be reached at `host:port`; undefined when something can. */
  unreachable(address: string): Promise<string | undefined>;
  /** Milliseconds, monotonic. */
  now(): number;
  sleep(ms: number): Promise<unknown>;
}

export const thisMachine: Machine = {
  stdin: process.stdin,
  unitsRead: DEFAULT_CONFIG_FILE,
  // As sd_booted(3) finds out.
  hasSystemd: () => exists('/run/systemd/system'),
  systemctl: (...args) =>
    new Promise((resolve) => {
      execFile('systemctl', args, { timeout: SYSTEMCTL_TIMEOUT_MS, encoding: 'utf8' }, (error, out, err) =>
        resolve({ ok: error === null, text: (out + err).trim() || (error?.message ?? '') }),
      );
    }),
  unreachable(address) {
    const { host, port } = splitAddress(address)!;
    return new Promise((resolve) => {
      const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
      const end = (reason: string | undefined) => {
        socket.destroy();
        resolve(reason);
      };
      socket.once('connect', () => end(undefined));
      socket.once('timeout', () => end(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`));
      socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    });
  },
  now: () => performance.now(),
  sleep,
};
