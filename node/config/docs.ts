/** The option table in prose: a commented configuration file (`forage config`) and docs/configuration.md. */
import type { Option, TomlValue } from './option.ts';
import { optionEntries } from './options.ts';

const COMMENT_COLUMNS = 100;

type Entry = [name: string, option: Option<TomlValue>];

/** A configuration file with every option at its default, commented out, each under its explanation. */
export function template(): string {
  const lines = [
    "# forage's configuration. Every option is shown with its default; remove the # to change it.",
    '',
  ];
  let group = '';
  for (const [name, option] of optionEntries()) {
    const [table, key] = split(name);
    if (table !== group) {
      lines.push(`[${table}]`, '');
      group = table;
    }
    lines.push(...wrap(option.help), `# Expected: ${option.expected}.`);
    lines.push(`#${key} = ${toml(option.default)}`, '');
  }
  return lines.join('\n');
}

/** docs/configuration.md, whole. */
export function markdown(): string {
  const lines = [
    '# Configuration',
    '',
    'Generated from the table in `node/config/options.ts` by `forage config --markdown`: change it there.',
    '',
    'The file is TOML, `/etc/forage/config.toml` unless `--config` says otherwise. Every option has a default, so an empty',
    'file is a configuration. An unknown option or a wrong value is an error, and nothing starts. `forage config` prints a',
    'commented file to begin with; `forage config --check FILE` checks one. Changes take effect when the unit is restarted',
    '(`systemctl restart forage`; for `fuse.transport`, `run` and `root` also `forage-volumes`).',
  ];
  let group: string | undefined;
  for (const entry of optionEntries()) {
    const [table] = split(entry[0]);
    if (table !== group) lines.push('', table === '' ? '## At the top of the file' : `## \`[${table}]\``);
    group = table;
    lines.push('', ...section(entry));
  }
  return `${lines.join('\n')}\n`;
}

function section([name, option]: Entry): string[] {
  const [, key] = split(name);
  return [`### \`${key}\``, '', `Default \`${toml(option.default)}\`; ${option.expected}.`, '', option.help];
}

function split(name: string): [table: string, key: string] {
  const dot = name.indexOf('.');
  return [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
}

/** TOML's strings, numbers, booleans and arrays of strings are written as JSON's are. */
function toml(value: TomlValue): string {
  return JSON.stringify(value);
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + 1 + word.length > COMMENT_COLUMNS) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
