/** `forage doctor`: examines this machine, and says how to get what is missing. */
import { ConfigError, parseConfig } from '../node/config/config.ts';
import { type Check, type Finding, type Machine, missing, ok, run } from './doctor/check.ts';
import { containerdChecks } from './doctor/containerd.ts';
import { kernelChecks } from './doctor/kernel.ts';
import { serviceChecks } from './doctor/service.ts';
import { toolChecks } from './doctor/tools.ts';
import { Failure } from './errors.ts';
import { print, printJson } from './output.ts';
import { exists, settings } from './settings.ts';

export type Result = Finding & { name: string };

const STATE_COLUMNS = 9;

/** Answers whether all that is required is here. */
export async function doctor(options: { config: string; json?: boolean }): Promise<boolean> {
  if (process.getuid?.() !== 0) throw new Failure('doctor looks at what only root may see; try sudo');
  const { config, finding } = await examineConfiguration(options.config);
  const checks = [...kernelChecks, ...toolChecks, ...containerdChecks, ...serviceChecks];
  const results = [{ name: 'configuration', ...finding }, ...(await examine(checks, { config, run }))];
  const isWell = results.every(({ state }) => state !== 'missing');
  if (options.json) printJson({ ok: isWell, checks: results });
  else print(forPeople(results));
  return isWell;
}

/** All at once; one that throws is a finding. */
export function examine(checks: readonly Check[], machine: Machine): Promise<Result[]> {
  return Promise.all(
    checks.map(async ({ name, examine }) => {
      try {
        return { name, ...(await examine(machine)) };
      } catch (error) {
        return {
          name,
          ...missing(`cannot be examined: ${(error as Error).message}`, 'forage doctor  # as root'),
        };
      }
    }),
  );
}

/** The rest is examined with the defaults where the file is wrong. */
async function examineConfiguration(file: string): Promise<{ config: Machine['config']; finding: Finding }> {
  const fix = `forage config --check ${file}`;
  try {
    const config = await settings(file);
    if (await exists(file)) return { config, finding: ok(file) };
    return {
      config,
      finding: missing(`${file} is not there`, `mkdir -p /etc/forage && forage config > ${file}`),
    };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { config: parseConfig('', ''), finding: missing(error.problems.join('; '), fix) };
  }
}

export function forPeople(results: readonly Result[]): string {
  const nameColumns = Math.max(...results.map(({ name }) => name.length)) + 2;
  const lines = results.flatMap((result) => {
    const line = result.state.padEnd(STATE_COLUMNS) + result.name.padEnd(nameColumns) + result.found;
    return result.state === 'ok' ? [line] : [line, `${' '.repeat(STATE_COLUMNS)}fix: ${result.fix}`];
  });
  const missingCount = results.filter(({ state }) => state === 'missing').length;
  lines.push('', missingCount === 0 ? 'All that is required is here.' : `${missingCount} required, missing.`);
  return lines.join('\n');
}
