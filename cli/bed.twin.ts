/** What tests of the commands stand on: the command as a shell runs it, and a node that answers from twins. */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Test } from 'tap';
import { type AdminControl, startAdmin } from '../node/admin.ts';
import { controlTwin } from '../node/control.twin.ts';
import type { NodeView } from '../node/view.ts';
import { viewTwin } from '../node/view.twin.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

export interface Ended {
  status: number | null;
  out: string;
  err: string;
}

export function forage(...args: string[]): Promise<Ended> {
  return forageWith('', ...args);
}

/** With standard input. */
export async function forageWith(input: string, ...args: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  // A command that does not read it may be gone before it is written.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { status: await ended, out, err };
}

export async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'forage-cli-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

interface Twins {
  view?: NodeView;
  control?: AdminControl;
}

/** A configuration whose node answers from twins. */
export async function withNode(
  t: Test,
  { view = viewTwin(), control = controlTwin() }: Twins = {},
): Promise<string> {
  const run = await folder(t);
  const admin = await startAdmin(join(run, 'admin.sock'), view, control, pino({ level: 'silent' }));
  t.teardown(() => admin.stop());
  const config = join(run, 'config.toml');
  await writeFile(config, `run = "${run}"\n`);
  return config;
}
