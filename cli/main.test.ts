import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { markdown } from '../node/config/docs.ts';
import { someStatus, someVolumes, viewTwin } from '../node/view.twin.ts';
import { folder, forage, withNode } from './bed.twin.ts';

t.test('help of every command exits with 0 and says what follows from it', async (t) => {
  const single = ['node', 'status', 'volumes', 'peers', 'images', 'prefetch', 'gc', 'drain', 'verify'];
  const double = ['images rm', 'cluster init', 'cluster issue', 'cluster join', 'cluster revoke'];
  for (const command of [...single, ...double, 'doctor', 'config', 'containerd-config']) {
    const { status, out } = await forage(...command.split(' '), '--help');
    t.equal(status, 0, command);
    t.match(out, new RegExp(`^Usage: forage ${command} `));
    t.match(out, /^ {2}(forage|systemctl) /m, 'with commands to paste');
  }
});

t.test('wrong usage exits with 2 and points at help', async (t) => {
  for (const args of [
    ['statsu'],
    ['status', '--jsno'],
    ['cluster', 'issue'],
    ['cluster', 'join', '10.0.0.1', '--token', '-', '--from', '.'],
    ['cluster', 'revoke', '--record', 'x', '--dir', '.'],
    ['images', 'remove'],
    ['prefetch'],
    ['containerd-config', '--version', '9'],
  ]) {
    const { status, out, err } = await forage(...args);
    t.equal(status, 2, args.join(' '));
    t.equal(out, '');
    t.match(err, /forage --help/);
  }
  t.match((await forage('statsu')).err, /Did you mean status/);
});

t.test('status for scripts has sizes in bytes and null for what is not known', async (t) => {
  const { status, out } = await forage('status', '--json', '--config', await withNode(t));
  t.equal(status, 0);
  t.strictSame(JSON.parse(out), {
    node: 'n1',
    version: someStatus.version,
    peers: [
      { name: 'n2', address: 'n2:7400', state: 'up', rtt_ms: 1.25, bytes_per_second: 80_000_000 },
      { name: 'n3', address: '192.0.2.3:7400', state: 'unknown', rtt_ms: null, bytes_per_second: null },
    ],
    volumes: 2,
    blocks: { count: 1234, bytes: 160_000_000 },
    fetched_bytes: 42_000_000,
    served_bytes: 7,
    demand_reads: 99,
    waiting_reads: 3,
    ingest: { queued: 1, running: 1, done: 5, failed: 2 },
  });
});

t.test('status for people is aligned and has units', async (t) => {
  const { out } = await forage('status', '--config', await withNode(t));
  t.match(out, /^fetched {2}42\.0 MB from neighbours$/m);
  t.match(out, /^store {4}2 volumes, 1,234 blocks, 160\.0 MB$/m);
  t.match(out, /^n2 {4}n2:7400 {9}up {11}1\.3 ms {2}80\.0 MB\/s$/m);
});

t.test('volumes are listed, the largest first', async (t) => {
  const config = await withNode(t);
  const listed = JSON.parse((await forage('volumes', '--json', '--config', config)).out);
  t.match(listed, [
    { root: someVolumes[0]!.root, size_bytes: 10_000_000, blocks_here: 20, complete: false, in_use: true },
    { root: someVolumes[1]!.root, complete: true, mounted: false },
  ]);
  const { out } = await forage('volumes', '--config', config);
  t.match(out, /^abababababab {2}cdcdcdcdcdcd {2}erofs-tar-lz4-1 {2}10\.0 MB {6}80 {3}25 % {2}in use$/m);
});

t.test('no volumes: says how to get one', async (t) => {
  const { out } = await forage('volumes', '--config', await withNode(t, { view: viewTwin(someStatus, []) }));
  t.match(out, /nerdctl pull/);
});

t.test('a node that does not answer is one line and status 1', async (t) => {
  const run = await folder(t);
  await writeFile(join(run, 'config.toml'), `run = "${run}"\n`);
  const { status, out, err } = await forage('status', '--config', join(run, 'config.toml'));
  t.equal(status, 1);
  t.equal(out, '');
  t.match(err, /^forage: no node answers at .*admin\.sock; .*systemctl.*\n$/);
  t.equal(err.split('\n').length, 2);
});

t.test('a wrong configuration is status 2, every problem a line', async (t) => {
  const path = join(await folder(t), 'config.toml');
  await writeFile(path, 'rooot = "/x"\n[fetch]\nwait_seconds = 0\n');
  for (const args of [
    ['config', '--check', path],
    ['node', '--config', path],
  ]) {
    const { status, err } = await forage(...args);
    t.equal(status, 2);
    t.match(err, /rooot: no such option; did you mean root\?/);
    t.match(err, /fetch\.wait_seconds: expected a whole number/);
    t.equal(err.trim().split('\n').length, 2);
  }
});

t.test('the printed configuration passes its own check, silently', async (t) => {
  const path = join(await folder(t), 'config.toml');
  await writeFile(path, (await forage('config')).out);
  t.strictSame(await forage('config', '--check', path), { status: 0, out: '', err: '' });
  t.equal((await forage('config', '--markdown')).out, markdown());
});

t.test('a cluster is made and a node certified; nothing is overwritten', async (t) => {
  const dir = join(await folder(t), 'cluster');
  t.equal((await forage('cluster', 'init', '--dir', dir)).status, 0);
  const out = join(dir, 'n1');
  const issued = await forage(
    'cluster',
    'issue',
    'n1',
    '--dir',
    dir,
    '--out',
    out,
    '--address',
    'n1.example',
    '192.0.2.1',
  );
  t.equal(issued.status, 0, issued.err);
  t.equal((await stat(join(out, 'node.key'))).mode & 0o777, 0o600);
  t.match(await readFile(join(out, 'node.crt'), 'utf8'), /BEGIN CERTIFICATE/);

  const again = await forage('cluster', 'init', '--dir', dir);
  t.equal(again.status, 1);
  t.match(again.err, /^forage: .*is not overwritten\n$/);
});

t.test('the stanza for containerd fits the file that is there', async (t) => {
  const dir = await folder(t);
  const file = join(dir, 'containerd.toml');
  await writeFile(file, 'version = 2\n');
  const { status, out } = await forage('containerd-config', '--file', file);
  t.equal(status, 0);
  t.match(out, /\[proxy_plugins\.forage\]/);
  t.notMatch(out, /^version/m, 'no second version');

  await writeFile(file, `version = 2\n${out}`);
  const twice = await forage('containerd-config', '--file', file);
  t.equal(twice.status, 1);
  t.match(twice.err, /has \[proxy_plugins\.forage\] already/);
});
