/**
 * Reads the configuration file. Everything wrong with it is reported at once, one line a problem, naming file and key and
 * what is expected. The volume server reads the same file, so nothing heavy may be imported here.
 */
import { readFile } from 'node:fs/promises';
import { parse, TomlError } from 'smol-toml';
import { nearest } from './nearest.ts';
import type { TomlValue } from './option.ts';
import { type Config, optionEntries } from './options.ts';

export type { Config } from './options.ts';

export const DEFAULT_CONFIG_FILE = '/etc/forage/config.toml';

const MAX_FILE_BYTES = 1 << 20;
const MAX_SHOWN_CHARACTERS = 60;

/** The configuration cannot be used. `message` has one line a problem. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(fileName: string, problems: readonly string[]) {
    super(problems.map((problem) => `${fileName}: ${problem}`).join('\n'));
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** Throws `ConfigError`, also when the file is not there: an empty file takes every default, a missing one is a mistake. */
export async function loadConfig(fileName: string): Promise<Config> {
  let bytes: Buffer;
  try {
    bytes = await readFile(fileName);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError(fileName, [
      code === 'ENOENT'
        ? `not found (\`forage config > ${fileName}\` makes one with every default)`
        : `cannot be read: ${code}`,
    ]);
  }
  if (bytes.length > MAX_FILE_BYTES) throw new ConfigError(fileName, [`larger than ${MAX_FILE_BYTES} bytes`]);
  return parseConfig(bytes.toString('utf8'), fileName);
}

/** `fileName` is only for the errors. Throws `ConfigError`. */
export function parseConfig(text: string, fileName: string): Config {
  const given = parseToml(text, fileName);
  const problems: string[] = [];
  const config: Record<string, TomlValue | Record<string, TomlValue>> = {};
  for (const [name, option] of optionEntries()) {
    let value: TomlValue = option.default;
    if (given.has(name)) {
      const found = given.get(name);
      const checked = option.check(found);
      if (checked === undefined) problems.push(`${name}: expected ${option.expected}, found ${show(found)}`);
      else value = checked;
    }
    put(config, name, value);
    given.delete(name);
  }
  for (const [name, value] of given) problems.push(unknownKey(name, value));
  if (problems.length > 0) throw new ConfigError(fileName, problems);
  return config as unknown as Config; // optionEntries and the type are made from the same table
}

/** The file's values under dotted names. A group's name stands for a value only when it does not hold a table. */
function parseToml(text: string, fileName: string): Map<string, unknown> {
  let document: Record<string, unknown>;
  try {
    document = parse(text, { maxDepth: 8, unsafeKeyBehaviour: 'throw' });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n', 1)[0]?.replace(/^Invalid TOML document: /, '');
    throw new ConfigError(`${fileName}:${error.line}:${error.column}`, [`not valid TOML: ${reason}`]);
  }
  const values = new Map<string, unknown>();
  for (const [key, value] of Object.entries(document)) {
    if (!isTable(value) || optionEntries().some(([name]) => name === key)) values.set(key, value);
    else for (const [name, inner] of Object.entries(value)) values.set(`${key}.${name}`, inner);
  }
  return values;
}

function put(
  config: Record<string, TomlValue | Record<string, TomlValue>>,
  name: string,
  value: TomlValue,
): void {
  const [group, key] = name.split('.');
  if (key === undefined) {
    config[name] = value;
    return;
  }
  config[group!] ??= {};
  (config[group!] as Record<string, TomlValue>)[key] = value;
}

function unknownKey(name: string, value: unknown): string {
  const names = optionEntries().map(([known]) => known);
  if (!isTable(value) && names.some((known) => known.startsWith(`${name}.`))) {
    return `${name}: expected a table ([${name}]), found ${show(value)}`;
  }
  const near = nearest(name, names);
  return `${name}: no such option${near === undefined ? '' : `; did you mean ${near}?`}`;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

/** A short form of what was found, on one line. */
function show(value: unknown): string {
  if (isTable(value)) return 'a table';
  const text = typeof value === 'bigint' || value instanceof Date ? String(value) : JSON.stringify(value);
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
