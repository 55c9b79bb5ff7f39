/** `forage config`: the option table in prose, and a check of a file. */
import { loadConfig } from '../node/config/config.ts';
import { markdown, template } from '../node/config/docs.ts';
import { print } from './output.ts';

export async function config(options: { check?: string; markdown?: boolean }): Promise<void> {
  if (options.check !== undefined) await loadConfig(options.check);
  else print(options.markdown ? markdown() : template());
}
