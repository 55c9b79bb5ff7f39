/** The configuration as the commands beside `forage node` want it. */
import { access } from 'node:fs/promises';
import { type Config, DEFAULT_CONFIG_FILE, loadConfig, parseConfig } from '../node/config/config.ts';

/** The defaults where the default file is not there: these commands must help before anything is set up. */
export async function settings(configFile: string): Promise<Config> {
  if (configFile === DEFAULT_CONFIG_FILE && !(await exists(configFile))) return parseConfig('', configFile);
  return loadConfig(configFile);
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
