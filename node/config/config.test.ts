import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ConfigError, loadConfig, parseConfig } from './config.ts';
import { optionEntries } from './options.ts';

function problems(text: string): readonly string[] {
  try {
    parseConfig(text, 'config.toml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

t.test('an empty file takes every default', async (t) => {
  const config = parseConfig('', 'config.toml');
  t.equal(config.root, '/var/lib/forage');
  t.equal(config.run, '/run/forage');
  t.equal(config.fetch.wait_seconds, 600);
  t.equal(config.fetch.completion, true);
  t.equal(config.fuse.transport, 'kernel');
  t.match(config.peers, { listen: '0.0.0.0:7400', gossip: '0.0.0.0:7401', bootstrap: [] });
  t.equal(config.replicas, 2);
  t.equal(config.trust, 'signed');
});

t.test('every default passes its own check', async (t) => {
  for (const [name, option] of optionEntries())
    t.strictSame(option.check(option.default), option.default, name);
});

t.test('given values replace the defaults, and only they', async (t) => {
  const config = parseConfig(
    'root = "/data/forage"\n[peers]\nbootstrap = ["n1:7401", "[fd00::2]:7401"]\n[fetch]\ncompletion = false\n',
    'config.toml',
  );
  t.equal(config.root, '/data/forage');
  t.strictSame(config.peers.bootstrap, ['n1:7401', '[fd00::2]:7401']);
  t.equal(config.fetch.completion, false);
  t.equal(config.fetch.wait_seconds, 600);
});

t.test('dotted keys and tables are the same', async (t) => {
  t.strictSame(parseConfig('fetch.wait_seconds = 5', ''), parseConfig('[fetch]\nwait_seconds = 5', ''));
});

t.test('an unknown key is an error that names the nearest known one', async (t) => {
  t.strictSame(problems('[fetch]\nwait_secs = 5'), [
    'fetch.wait_secs: no such option; did you mean fetch.wait_seconds?',
  ]);
  t.strictSame(problems('rooot = "/x"'), ['rooot: no such option; did you mean root?']);
  t.strictSame(problems('level = "info"'), ['level: no such option; did you mean log.level?']);
  t.strictSame(problems('[telemetry]\nsink = 1'), ['telemetry.sink: no such option']);
});

t.test('a wrong type or range says what is expected and what was found', async (t) => {
  t.strictSame(problems('[fetch]\nwait_seconds = 0'), [
    'fetch.wait_seconds: expected a whole number from 1 to 86400, found 0',
  ]);
  t.strictSame(problems('[fetch]\nwait_seconds = "10"'), [
    'fetch.wait_seconds: expected a whole number from 1 to 86400, found "10"',
  ]);
  t.strictSame(problems('[fuse]\ntransport = "nbd"'), [
    'fuse.transport: expected one of "kernel", "fuse-native", found "nbd"',
  ]);
  t.match(problems('fetch = 3'), [/^fetch: expected a table \(\[fetch\]\), found 3/]);
  t.match(problems('[root]\nx = 1'), [/^root: expected an absolute path.*found a table/]);
});

t.test('values that are never right', async (t) => {
  const bad = [
    'root = "relative"',
    'root = "/a/../b"',
    'root = "/with,comma"',
    'root = "/with:colon"',
    'root = "/"',
    'run = "/run/a-path-so-long-that-many-layers-overflow"',
    'fetch.wait_seconds = 1.5',
    'fetch.wait_seconds = nan',
    'fetch.wait_seconds = 1979-05-27',
    'fetch.completion = "yes"',
    'peers.listen = "7400"',
    'peers.listen = "localhost:7400"',
    'peers.listen = "0.0.0.0:0"',
    'peers.listen = "0.0.0.0:65536"',
    'peers.bootstrap = "n1:7400"',
    'peers.bootstrap = ["n1"]',
    'peers.bootstrap = ["[n1]:7400"]',
    'peers.bootstrap = ["n1:7400", "n1:7400"]',
    'peers.bootstrap = [["n1:7400"]]',
  ];
  for (const text of bad) t.equal(problems(text).length, 1, text);
});

t.test('all problems are reported at once, each with the file', async (t) => {
  const text = 'rooot = 1\n[log]\nlevel = "loud"\n[fetch]\ncompletion = 3\n';
  try {
    parseConfig(text, '/etc/forage/config.toml');
    t.fail('must throw');
  } catch (error) {
    const lines = (error as Error).message.split('\n');
    t.equal(lines.length, 3);
    t.ok(lines.every((line) => line.startsWith('/etc/forage/config.toml: ')));
  }
});

t.test('a file that is not TOML is one error with line and column', async (t) => {
  t.throws(() => parseConfig('root = "/x"\nrun =\n', 'config.toml'), {
    message: /^config\.toml:2:\d+: not valid TOML: /,
  });
  t.throws(() => parseConfig('root = "/x"\nroot = "/y"\n', 'config.toml'), ConfigError);
  t.throws(() => parseConfig('[__proto__]\nx = 1\n', 'config.toml'), ConfigError);
});

t.test('a missing file is an error that says how to make one', async (t) => {
  await t.rejects(loadConfig('/nowhere/config.toml'), { message: /not found.*forage config > / });
});

t.test('a file is read, and one of absurd size refused', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forage-config-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const file = join(folder, 'config.toml');
  await writeFile(file, 'run = "/run/f"\n');
  t.equal((await loadConfig(file)).run, '/run/f');
  await writeFile(file, '#'.repeat(2 << 20));
  await t.rejects(loadConfig(file), { message: /larger than/ });
});
