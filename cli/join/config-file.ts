/**
 * Puts `peers.bootstrap` into a configuration file that a person may have written: comments and all other lines stay as they
 * are. Lines are edited, which is not how TOML is understood, so the result is parsed, and must be the old configuration but
 * for the one option; a file that is too unusual for that is left alone.
 */
import { readFile, realpath } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Config, parseConfig } from '../../node/config/config.ts';
import { Failure } from '../errors.ts';
import { replaceFile } from './replace-file.ts';

const NEW_FILE = "# forage's configuration; `forage config` prints all options with their explanations.\n";

const TABLE = /^[ \t]*\[/;
const PEERS = /^[ \t]*\[[ \t]*peers[ \t]*\][ \t]*(?:#.*)?$/;
const KEY = /^[ \t]*bootstrap[ \t]*=[ \t]*(?=\[)/;
const COMMENTED_KEY = /^[ \t]*#[ \t]*bootstrap[ \t]*=/;

export interface ConfigChange {
  /** What the file will say. */
  config: Config;
  /** Replaces the file by rename; makes it where it is not there. */
  write(): Promise<void>;
}

/** Reads and checks; changes nothing yet. Throws ConfigError for a file that is wrong already, Failure where it cannot be edited. */
export async function planBootstrap(file: string, addresses: readonly string[]): Promise<ConfigChange> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const changed = withBootstrap(text ?? NEW_FILE, addresses, file);
  return {
    config: parseConfig(changed, file),
    async write() {
      if (changed === text) return;
      // What a link points to is replaced, not the link.
      const target = text === undefined ? file : await realpath(file);
      await replaceFile(target, changed, 0o644);
    },
  };
}

export function withBootstrap(text: string, addresses: readonly string[], file: string): string {
  const before = parseConfig(text, file);
  const changed = edited(text, `[${addresses.map((address) => JSON.stringify(address)).join(', ')}]`);
  const expected = { ...before, peers: { ...before.peers, bootstrap: addresses } };
  if (isDeepStrictEqual(tryParse(changed), expected)) return changed;
  throw new Failure(
    `${file}: is written in a way that this command cannot edit; put bootstrap = ${JSON.stringify(addresses)} into [peers] by hand, then run it again`,
  );
}

function tryParse(text: string): Config | undefined {
  try {
    return parseConfig(text, '');
  } catch {
    return undefined;
  }
}

function edited(text: string, value: string): string {
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const assignment = `bootstrap = ${value}${eol}`;
  const ended = text === '' || text.endsWith('\n') ? text : text + eol;
  const table = peersTable(ended);
  if (table === undefined) return `${ended}${ended === '' ? '' : eol}[peers]${eol}${assignment}`;
  let at = table[0]!.end;
  for (const line of table) {
    const key = KEY.exec(line.text);
    if (key) {
      const from = line.start + key[0].length;
      return ended.slice(0, from) + value + ended.slice(endOfArray(ended, from));
    }
    // Below its explanation, in a file that `forage config` has printed.
    if (COMMENTED_KEY.test(line.text)) at = line.end;
  }
  return ended.slice(0, at) + assignment + ended.slice(at);
}

interface Line {
  text: string;
  start: number;
  /** Behind the line's end. */
  end: number;
}

/** The lines of `[peers]`, its header first. */
function peersTable(text: string): Line[] | undefined {
  const lines: Line[] = [];
  for (const match of text.matchAll(/([^\r\n]*)\r?\n/g))
    lines.push({ text: match[1]!, start: match.index, end: match.index + match[0].length });
  const first = lines.findIndex((line) => PEERS.test(line.text));
  if (first < 0) return undefined;
  const length = lines.slice(first + 1).findIndex((line) => TABLE.test(line.text));
  return length < 0 ? lines.slice(first) : lines.slice(first, first + 1 + length);
}

/** Behind the `]` of the array that begins at `from`; strings and comments may hold brackets. */
function endOfArray(text: string, from: number): number {
  const token = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|#[^\n]*|\]/g;
  token.lastIndex = from;
  for (let match = token.exec(text); match; match = token.exec(text))
    if (match[0] === ']') return token.lastIndex;
  return text.length;
}
