import t from 'tap';
import {
  flagsInHelp,
  flagValue,
  formatArguments,
  globalValue,
  isSet,
  parseArguments,
  UnknownArgumentsError,
  withFlags,
  withValue,
} from './arguments.ts';

/** As containerd's shim calls it. */
const CHECKPOINT = [
  ...[
    '--root',
    '/run/containerd/runc/default',
    '--log',
    '/b/log.json',
    '--log-format',
    'json',
    '--systemd-cgroup',
  ],
  ...[
    'checkpoint',
    '--image-path',
    '/i',
    '--work-path',
    '/w',
    '--parent-path',
    '../before',
    '--leave-running',
    'c1',
  ],
];
const RESTORE = [
  ...['--root=/run/r', 'restore', '--image-path', '/i', '--work-path', '/w', '--detach', '--pid-file', '/p'],
  ...['-no-subreaper', '--bundle', '/b', 'c1'],
];

t.test('what is not changed is given on as it came, in its order', async (t) => {
  for (const argv of [CHECKPOINT, RESTORE]) t.same(formatArguments(parseArguments(argv)), argv);
});

t.test('values are found behind a blank and behind an equals sign, the last one counts', async (t) => {
  const checkpoint = parseArguments(CHECKPOINT);
  t.equal(globalValue(checkpoint, 'root'), '/run/containerd/runc/default');
  t.equal(globalValue(checkpoint, 'log-format'), 'json');
  t.equal(flagValue(checkpoint.flags, 'image-path'), '/i');
  t.equal(flagValue(checkpoint.flags, 'parent-path'), '../before');
  t.same(checkpoint.operands, ['c1']);
  const restore = parseArguments([...RESTORE.slice(0, -1), '-image-path=/other', 'c1']);
  t.equal(globalValue(restore, 'root'), '/run/r');
  t.equal(flagValue(restore.flags, 'image-path'), '/other');
  t.equal(flagValue(restore.flags, 'bundle', 'b'), '/b');
});

t.test('a boolean takes a value only by an equals sign', async (t) => {
  const args = (...flags: string[]) => parseArguments(['checkpoint', ...flags, 'c1']);
  t.ok(isSet(args('--leave-running'), 'leave-running'));
  t.ok(isSet(args('-leave-running=true'), 'leave-running'));
  t.notOk(isSet(args('--leave-running=false'), 'leave-running'));
  t.notOk(isSet(args(), 'leave-running'));
  t.same(args('--leave-running').operands, ['c1']);
  t.same(parseArguments(['checkpoint', '--', '--odd']).operands, ['--odd']);
});

t.test('a value is put in the place of the one given, or beside the others', async (t) => {
  const args = parseArguments(['checkpoint', '--image-path=/i', '--file-locks', 'c1']);
  t.same(formatArguments(withValue(args, 'image-path', '/staged')), [
    ...['checkpoint', '--image-path', '/staged', '--file-locks', 'c1'],
  ]);
  t.same(formatArguments(withValue(args, 'work-path', '/w')), [
    ...['checkpoint', '--image-path=/i', '--file-locks', '--work-path', '/w', 'c1'],
  ]);
});

t.test('flags are added as far as runc knows them and the caller has not given them', async (t) => {
  const known = flagsInHelp(`OPTIONS:
   --tcp-established            allow open tcp connections
   --file-locks                 handle file locks, for safety
   --manage-cgroups-mode value  cgroups mode: soft|full|strict (default: soft)
   -d                           detach`);
  const args = parseArguments(['restore', '--file-locks=false', 'c1']);
  const wanted = ['--tcp-established', '--file-locks', '--tcp-close', '--manage-cgroups-mode=ignore'];
  t.same(formatArguments(withFlags(args, wanted, known)), [
    ...['restore', '--file-locks=false', '--tcp-established', 'c1'],
  ]);
  const soft = withFlags(args, ['--manage-cgroups-mode=soft'], known);
  t.equal(flagValue(soft.flags, 'manage-cgroups-mode'), 'soft');
});

t.test('what cannot be understood is left to runc', async (t) => {
  for (const argv of [['run', 'c1'], [], ['--root'], ['checkpoint', '--image-path']])
    t.throws(() => parseArguments(argv), UnknownArgumentsError, argv.join(' '));
});
