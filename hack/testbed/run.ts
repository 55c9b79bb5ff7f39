/** Other programs: run one to its end and have its output, or an error that says what was run and what it said. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** An error whose message is all that a user needs; no stack is shown for it. */
export class UserError extends Error {}

export interface RunOptions {
  env?: Record<string, string>;
  cwd?: string;
  /** Given to the program's standard input; default: nothing. */
  input?: string;
  /** Pass the program's output through to our standard error instead of collecting it. */
  show?: boolean;
}

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end, whatever its exit status. Throws only if it cannot be started. */
export async function outcomeOf(command: string, args: string[], options: RunOptions = {}): Promise<Outcome> {
  const output = options.show ? process.stderr : 'pipe';
  const child: ChildProcess = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: [options.input === undefined ? 'ignore' : 'pipe', output, output],
  });
  const collected = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    collected.stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    collected.stderr += text;
  });
  child.stdin?.on('error', () => {}); // it may end before it has read everything: its status tells
  child.stdin?.end(options.input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { status: code ?? 1, ...collected };
}

/** Runs a program that must succeed; returns its standard output. */
export async function run(command: string, args: string[], options: RunOptions = {}): Promise<string> {
  const outcome = await outcomeOf(command, args, options).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'ENOENT' ? new UserError(`${command} is not installed: run hack/setup`) : error;
  });
  if (outcome.status !== 0) {
    const said = (outcome.stderr || outcome.stdout).trim().split('\n').slice(-20).join('\n');
    throw new UserError(
      `${[command, ...args].join(' ')}\nended with status ${outcome.status}${said && `:\n${said}`}`,
    );
  }
  return outcome.stdout;
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Polls until `probe` gives something; undefined when the time is over. */
export async function poll<T>(
  timeoutMs: number,
  intervalMs: number,
  probe: () => Promise<T | undefined> | T | undefined,
): Promise<T | undefined> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = await probe();
    if (found !== undefined) return found;
    if (performance.now() > deadline) return undefined;
    await sleep(intervalMs);
  }
}

/** Progress goes to standard error: standard output belongs to results. */
export const say = (line: string): void => void process.stderr.write(`${line}\n`);
