/**
 * What the holder runs once, before the first server: `node prepare.ts CONFIGURATION` prints the settings as assignments
 * for the shell, from the environment when there is no such file. It also loads the server's modules, so that they are
 * in the compile cache from the first server on: a server that compiles them itself stays 20 MB larger.
 */
import { existsSync, readFileSync } from 'node:fs';
import { settingsFromEnvironment, settingsFromToml, toShell } from './settings.ts';

const path = process.argv[2] ?? '';
try {
  const settings = existsSync(path)
    ? await settingsFromToml(readFileSync(path, 'utf8'))
    : settingsFromEnvironment(process.env);
  console.log(toShell(settings));
} catch (error) {
  console.error(`<3>${path}: ${(error as Error).message}`);
  process.exit(2);
}
await import('./server.ts');
