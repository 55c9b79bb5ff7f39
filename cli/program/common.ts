/** What the words of several commands share. */
import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';

export const CONFIG_FILE = '/etc/forage/config.toml';

/** `exit` takes a status other than 0 from a command that has said why. */
export type Exit = (status: number) => void;

/** For a command that asks the node of this machine. */
export function asksNode(command: Command, json: string): Command {
  return command
    .option('--config <FILE>', 'configuration, for where the node listens', CONFIG_FILE)
    .option('--json', `for scripts: ${json}`);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('A whole number is expected.');
  return Number(text);
}

export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
