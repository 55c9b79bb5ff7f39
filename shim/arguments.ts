/**
 * runc's command line, read and changed in place: what is not asked for here stays as it was given. The syntax is that of Go's flag package
 * (one dash or two, `--name value` or `--name=value`, a boolean takes a value only by `=`), in the order runc has it: global flags, verb, the
 * verb's flags, container.
 */
export interface Arguments {
  global: string[];
  verb: 'checkpoint' | 'restore';
  /** Flags of the verb, in the order given. */
  flags: Flag[];
  /** The container, and whatever else comes after the flags. */
  operands: string[];
}

interface Flag {
  name: string;
  /** undefined: a boolean without a value. */
  value: string | undefined;
  /** As given, to be given on. */
  given: string[];
}

/** Flags that take a value: of runc itself, and of its checkpoint and restore (runc 1.1 to 1.3). */
const GLOBAL_VALUES = new Set(['root', 'log', 'log-format', 'criu', 'rootless']);
const VERB_VALUES = new Set([
  'image-path',
  'work-path',
  'parent-path',
  'page-server',
  'status-fd',
  'manage-cgroups-mode',
  'empty-ns',
  'console-socket',
  'bundle',
  'b',
  'pid-file',
  'lsm-profile',
  'lsm-mount-context',
]);

/** The command line cannot be understood; runc itself is to say why. */
export class UnknownArgumentsError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnknownArgumentsError';
  }
}

export function parseArguments(argv: readonly string[]): Arguments {
  const [global, rest] = readFlags(argv, GLOBAL_VALUES);
  const [verb, ...after] = rest;
  if (verb !== 'checkpoint' && verb !== 'restore') throw new UnknownArgumentsError(`verb ${verb}`);
  const [flags, operands] = readFlags(after, VERB_VALUES);
  return { global: global.flatMap(({ given }) => given), verb, flags, operands };
}

/** The flags at the beginning, and what comes behind them. */
function readFlags(argv: readonly string[], takesValue: ReadonlySet<string>): [Flag[], string[]] {
  const flags: Flag[] = [];
  let at = 0;
  while (at < argv.length) {
    const argument = argv[at]!;
    if (argument === '--') return [flags, argv.slice(at + 1)];
    const match = /^--?([A-Za-z][A-Za-z0-9-]*)(?:=(.*))?$/s.exec(argument);
    if (!match) break;
    const [, name = '', inline] = match;
    const hasNext = inline === undefined && takesValue.has(name);
    if (hasNext && at + 1 >= argv.length) throw new UnknownArgumentsError(`${argument} without its value`);
    const given = argv.slice(at, at + (hasNext ? 2 : 1));
    flags.push({ name, value: hasNext ? given[1] : inline, given });
    at += given.length;
  }
  return [flags, argv.slice(at)];
}

export function formatArguments({ global, verb, flags, operands }: Arguments): string[] {
  return [...global, verb, ...flags.flatMap(({ given }) => given), ...operands];
}

/** The last one given counts. */
export function flagValue(flags: readonly Flag[], ...names: string[]): string | undefined {
  return flags.findLast(({ name }) => names.includes(name))?.value;
}

export function isSet({ flags }: Arguments, name: string): boolean {
  const flag = flags.findLast((candidate) => candidate.name === name);
  return flag !== undefined && !['false', 'f', '0'].includes((flag.value ?? 'true').toLowerCase());
}

/** Of a global flag. */
export function globalValue({ global }: Arguments, name: string): string | undefined {
  return flagValue(readFlags(global, GLOBAL_VALUES)[0], name);
}

/** With this value instead of the one given, or beside the others. */
export function withValue(from: Arguments, name: string, value: string): Arguments {
  const flag = { name, value, given: [`--${name}`, value] };
  const isThere = from.flags.some((candidate) => candidate.name === name);
  const flags = isThere
    ? from.flags.map((candidate) => (candidate.name === name ? flag : candidate))
    : [...from.flags, flag];
  return { ...from, flags };
}

/** `added`: such as `--file-locks` or `--manage-cgroups-mode=ignore`. What was given, and what runc does not know, is left out. */
export function withFlags(from: Arguments, added: readonly string[], known: ReadonlySet<string>): Arguments {
  const [candidates] = readFlags(added, new Set());
  const fresh = candidates.filter(
    ({ name, value }) =>
      known.has(value === undefined ? name : `${name}=${value}`) &&
      !from.flags.some((flag) => flag.name === name),
  );
  return { ...from, flags: [...from.flags, ...fresh] };
}

/**
 * Names of flags in the help of one of runc's verbs (`   --file-locks   handle file locks …`), and with each word of a line what may be a
 * value: `manage-cgroups-mode=ignore` is known where the help names that mode.
 */
export function flagsInHelp(help: string): Set<string> {
  const known = new Set<string>();
  for (const [, name = '', text = ''] of help.matchAll(/^\s+--([a-z][a-z0-9-]*)(.*)$/gm)) {
    known.add(name);
    for (const [word] of text.matchAll(/[a-z]+/g)) known.add(`${name}=${word}`);
  }
  return known;
}
