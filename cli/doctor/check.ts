/** What one examination of `forage doctor` is. A finding that is not `ok` comes with the fix: commands to paste. */
import { execFile } from 'node:child_process';
import type { Config } from '../../node/config/config.ts';

export type Finding =
  | { state: 'ok'; found: string }
  /** forage works, at the price that `found` tells. */
  | { state: 'warning'; found: string; fix: string }
  /** forage does not work. */
  | { state: 'missing'; found: string; fix: string };

export interface Check {
  name: string;
  /** Changes nothing that stays. An error is a finding too. */
  examine(machine: Machine): Promise<Finding>;
}

export interface Output {
  /** Exit status; undefined when the command could not be started or was ended. */
  status: number | undefined;
  /** Standard output. */
  out: string;
  /** Standard output and error together. */
  text: string;
}

/** What is examined. Tests use one of their own. */
export interface Machine {
  config: Config;
  run(command: string, ...args: string[]): Promise<Output>;
}

const RUN_TIMEOUT_MS = 10_000;
const MAX_OUTPUT_BYTES = 4 << 20;

/** Never rejects. */
export function run(command: string, ...args: string[]): Promise<Output> {
  const options = { timeout: RUN_TIMEOUT_MS, maxBuffer: MAX_OUTPUT_BYTES, encoding: 'utf8' as const };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : undefined;
      resolve({ status, out: stdout, text: stdout + stderr });
    });
  });
}

export function ok(found: string): Finding {
  return { state: 'ok', found };
}

export function warning(found: string, fix: string): Finding {
  return { state: 'warning', found, fix };
}

export function missing(found: string, fix: string): Finding {
  return { state: 'missing', found, fix };
}

/** The first `major.minor` in the text; undefined without one. */
export function versionIn(text: string): { major: number; minor: number; text: string } | undefined {
  const match = /(?<major>\d+)\.(?<minor>\d+)(?:\.\d+)?/.exec(text);
  if (!match?.groups) return undefined;
  return { major: Number(match.groups.major), minor: Number(match.groups.minor), text: match[0] };
}

export function isAtLeast(version: { major: number; minor: number }, major: number, minor: number): boolean {
  return version.major > major || (version.major === major && version.minor >= minor);
}
