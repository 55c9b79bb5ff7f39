/**
 * The kinds of options. An option says what it means and checks its own value; the file's parser, the documentation and
 * the errors are all derived from it. Nothing here knows which options there are.
 */
import { isIP } from 'node:net';

export type TomlValue = string | number | boolean | string[];

export interface Option<T extends TomlValue> {
  /** Words for errors and documentation: what a value has to be. */
  readonly expected: string;
  readonly default: T;
  /** What it is for and what a change costs. Sentences, without Markdown. */
  readonly help: string;
  /** The value, or undefined when it is not as `expected`. */
  readonly check: (value: unknown) => T | undefined;
}

interface About<T> {
  default: T;
  help: string;
}

const MAX_PATH_BYTES = 1024;
const MAX_ADDRESSES = 1024;

/** A path that cannot be taken apart by overlayfs, whose options are separated by commas and colons. */
const PLAIN_PATH = /^(?:\/[\w.@+-]+)+$/;

export function path(about: About<string>, maxBytes = MAX_PATH_BYTES): Option<string> {
  return {
    ...about,
    expected: `an absolute path of letters, digits and ._@+- of at most ${maxBytes} bytes`,
    check: (value) => (isPlainPath(value) && value.length <= maxBytes ? value : undefined),
  };
}

export function integer(about: About<number>, min: number, max: number): Option<number> {
  return {
    ...about,
    expected: `a whole number from ${min} to ${max}`,
    check: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : undefined,
  };
}

export function flag(about: About<boolean>): Option<boolean> {
  return {
    ...about,
    expected: 'true or false',
    check: (value) => (typeof value === 'boolean' ? value : undefined),
  };
}

export function choice<const T extends string>(
  about: { default: NoInfer<T>; help: string },
  ...values: T[]
): Option<T> {
  return {
    ...about,
    expected: `one of ${values.map((value) => `"${value}"`).join(', ')}`,
    check: (value) => values.find((one) => one === value),
  };
}

export function text(about: About<string>, expected: string, pattern: RegExp): Option<string> {
  return {
    ...about,
    expected,
    check: (value) => (typeof value === 'string' && pattern.test(value) ? value : undefined),
  };
}

/** Where to listen: the host is an IP address, so that no name service is waited for. */
export function listenAddress(about: About<string>): Option<string> {
  return {
    ...about,
    expected: 'an IP address with a port, such as "0.0.0.0:7400" or "[::]:7400"',
    check: (value) => {
      const parts = splitAddress(value);
      return parts && isIP(parts.host) !== 0 ? (value as string) : undefined;
    },
  };
}

export function addresses(about: About<string[]>): Option<string[]> {
  return {
    ...about,
    expected: `a list of at most ${MAX_ADDRESSES} strings "host:port", no two the same`,
    check: (value) => {
      if (!Array.isArray(value) || value.length > MAX_ADDRESSES) return undefined;
      if (new Set(value).size !== value.length) return undefined;
      return value.every((one) => splitAddress(one) !== undefined) ? (value as string[]) : undefined;
    },
  };
}

/** `host:port` or `[IPv6]:port` in its parts; undefined for anything else. */
export function splitAddress(address: unknown): { host: string; port: number } | undefined {
  if (typeof address !== 'string') return undefined;
  const match = /^(?:\[(?<v6>[0-9A-Fa-f:.]{2,45})\]|(?<host>[\w.-]{1,253})):(?<port>\d{1,5})$/.exec(address);
  const host = match?.groups?.v6 ?? match?.groups?.host;
  const port = Number(match?.groups?.port);
  if (host === undefined || port < 1 || port > 65535) return undefined;
  if (match?.groups?.v6 !== undefined && isIP(host) !== 6) return undefined;
  return { host, port };
}

function isPlainPath(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    PLAIN_PATH.test(value) &&
    !value.split('/').some((part) => /^\.\.?$/.test(part))
  );
}
