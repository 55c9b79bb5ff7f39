/**
 * containerd's filters: `name==a,labels."x.y"!=b` is a list of selectors that must all match, each a field path with an
 * operator and a value, or a field path alone (it is there). Of several filters one must match.
 *
 *     filter    = selector *("," selector)          operator = "==" / "!=" / "~="
 *     selector  = fieldpath [operator value]        value    = quoted / anything up to a comma or a space
 *     fieldpath = field *("." field)                field    = quoted / letters, digits and "_"
 *
 * `quoted` is a Go string in double quotes; a regular expression may also be quoted by "/" or "|". Source of the grammar: the
 * documentation of containerd's package `filters`, and its behaviour.
 */
import { SnapshotError } from './errors.ts';
import type { SnapshotInfo } from './types.ts';

export type Filter = (info: SnapshotInfo) => boolean;

/** Throws `invalid-argument` on a filter that does not follow the grammar. No filters match everything. */
export function parseFilters(filters: readonly string[]): Filter {
  if (filters.length === 0) return () => true;
  const any = filters.map((text) => (text === '' ? () => true : new Parser(text).filter()));
  return (info) => any.some((filter) => filter(info));
}

/** undefined: the snapshot has no such field. */
function fieldOf(info: SnapshotInfo, [first, ...rest]: readonly string[]): string | undefined {
  switch (first) {
    case 'name':
      return info.name;
    case 'parent':
      return info.parent;
    case 'kind':
      return info.kind;
    case 'labels': {
      const label = rest.join('.');
      return Object.hasOwn(info.labels, label) ? info.labels[label] : undefined;
    }
    default:
      return undefined;
  }
}

const FIELD = /[A-Za-z0-9_]+/y;
const QUOTED = /"(?:[^"\\\n]|\\.)*"/y;
const QUOTED_PATTERN = /"(?:[^"\\\n]|\\.)*"|\/(?:[^/\\\n]|\\.)*\/|\|(?:[^|\\\n]|\\.)*\|/y;
const OPERATOR = /[=!~]+/y;
const VALUE = /[^\s,."/|=!~][^\s,]*/y;
const SPACE = /\s*/y;

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  filter(): Filter {
    const all = [this.#selector()];
    while (this.#skip(',')) all.push(this.#selector());
    if (this.#position < this.#text.length) throw this.#error('unexpected input');
    return (info) => all.every((selector) => selector(info));
  }

  #selector(): Filter {
    const path = [this.#field()];
    while (this.#skip('.')) path.push(this.#field());
    const operator = this.#take(OPERATOR);
    switch (operator) {
      case undefined:
        return (info) => fieldOf(info, path) !== undefined;
      case '==': {
        const value = this.#value(QUOTED);
        return (info) => fieldOf(info, path) === value;
      }
      case '!=': {
        const value = this.#value(QUOTED);
        return (info) => (fieldOf(info, path) ?? '') !== value;
      }
      case '~=': {
        const pattern = compile(this.#value(QUOTED_PATTERN));
        return (info) => pattern?.test(fieldOf(info, path) ?? '') ?? false;
      }
      default:
        throw this.#error(`unsupported operator ${operator}`);
    }
  }

  #field(): string {
    const quoted = this.#take(QUOTED);
    if (quoted !== undefined) return this.#unquote(quoted);
    const field = this.#take(FIELD);
    if (field === undefined) throw this.#error('expected a field or a quoted string');
    return field;
  }

  #value(quotes: RegExp): string {
    const quoted = this.#take(quotes);
    if (quoted !== undefined) return this.#unquote(quoted);
    const value = this.#take(VALUE);
    if (value === undefined) throw this.#error('expected a value or a quoted string');
    return value;
  }

  #take(token: RegExp): string | undefined {
    for (const pattern of [SPACE, token]) {
      pattern.lastIndex = this.#position;
      const match = pattern.exec(this.#text);
      if (match === null) return undefined;
      this.#position = pattern.lastIndex;
      if (pattern === token) return match[0];
    }
    return undefined;
  }

  #skip(separator: string): boolean {
    this.#take(SPACE);
    if (this.#text[this.#position] !== separator) return false;
    this.#position++;
    return true;
  }

  #unquote(quoted: string): string {
    const escapes = /\\(?:([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))/gs;
    return quoted.slice(1, -1).replace(escapes, (_, octal, hex, short, long, letter: string | undefined) => {
      if (letter !== undefined) return this.#letter(letter, quoted[0]!);
      const code = Number.parseInt(octal ?? hex ?? short ?? long, octal === undefined ? 16 : 8);
      if (code > 0x10ffff) throw this.#error('illegal escape sequence');
      return String.fromCodePoint(code);
    });
  }

  #letter(letter: string, quote: string): string {
    if (letter === quote || letter === '\\') return letter;
    const index = 'abfnrtv'.indexOf(letter);
    if (index < 0) throw this.#error('illegal escape sequence');
    return '\x07\b\f\n\r\t\v'[index]!;
  }

  #error(reason: string): SnapshotError {
    return new SnapshotError('invalid-argument', `filter ${this.#text}: ${reason} at ${this.#position}`);
  }
}

/** containerd answers a pattern that is none with no matches. Go writes flags in front, JavaScript behind. */
function compile(pattern: string): RegExp | undefined {
  const { flags = '', body = pattern } = /^\(\?(?<flags>[ims]+)\)(?<body>.*)$/s.exec(pattern)?.groups ?? {};
  try {
    return new RegExp(body, `u${flags}`);
  } catch {
    return undefined;
  }
}
