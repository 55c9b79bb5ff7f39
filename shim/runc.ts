/** The real runc: run as it was meant to be, and spoken for in its own way of telling errors. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Arguments, flagsInHelp, formatArguments, globalValue } from './arguments.ts';

export const RUNC = process.env.FORAGE_RUNC || 'runc';
const run = promisify(execFile);

/** With our own standard streams, and `more` in its environment. Answers its exit status. */
export async function runc(argv: readonly string[], more: Record<string, string> = {}): Promise<number> {
  const child = spawn(RUNC, argv, { stdio: 'inherit', env: { ...process.env, ...more } });
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, forward);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.off(name, forward);
  return code ?? (signal === 'SIGKILL' ? 137 : 143);
}

export function runcAs(args: Arguments, more: Record<string, string> = {}): Promise<number> {
  return runc(formatArguments(args), more);
}

/** Quietly: flags go before the container. Rejects with its last words. */
export async function runcOn(root: string, ...argv: string[]): Promise<void> {
  await run(RUNC, ['--root', root, ...argv]);
}

/** Flags of checkpoint or restore that this runc knows. */
export async function knownFlags(verb: Arguments['verb']): Promise<Set<string>> {
  return flagsInHelp((await run(RUNC, [verb, '--help'])).stdout);
}

export type Level = 'warning' | 'error' | 'info';

/** A line as runc's logrus writes it: containerd shows the last error of this file. */
export function tell(args: Arguments | undefined, level: Level, msg: string): void {
  const path = args && globalValue(args, 'log');
  if (!path) return;
  const isJson = globalValue(args, 'log-format') === 'json';
  const time = new Date().toISOString();
  const line = isJson
    ? JSON.stringify({ level, msg, time })
    : `time=${JSON.stringify(time)} level=${level} msg=${JSON.stringify(msg)}`;
  try {
    appendFileSync(path, `${line}\n`);
  } catch {
    // Nothing of what is logged is worth the container.
  }
}
