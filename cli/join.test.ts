/** Joining, with everything but systemd and the network as it is. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { startAdmin } from '../node/admin.ts';
import { loadConfig } from '../node/config/config.ts';
import { controlTwin, somePeers } from '../node/control.twin.ts';
import { viewTwin } from '../node/view.twin.ts';
import { initCluster, issueNode } from '../peers/identity/authority.ts';
import { loadIdentity } from '../peers/identity/identity.ts';
import { encodeToken } from '../peers/identity/token.ts';
import { folder, forage, forageWith } from './bed.twin.ts';
import type { Machine } from './join/machine.ts';
import { type JoinOptions, joinCluster } from './join.ts';

interface Bed {
  dir: string;
  config: string;
  etc: string;
  /** Of node `name`: the folder that was issued, and its token. */
  issue(name: string): Promise<{ from: string; token: string }>;
}

/** A cluster's authority, and a configuration whose identity goes into a folder of the test. */
async function bed(t: Test): Promise<Bed> {
  const dir = await folder(t);
  const etc = join(dir, 'etc');
  const config = join(etc, 'config.toml');
  await mkdir(etc);
  await writeFile(
    config,
    `run = "${dir}"\n[identity]\ncert = "${etc}/node.crt"\nkey = "${etc}/node.key"\nca = "${etc}/ca.crt"\n`,
  );
  await initCluster(join(dir, 'ca'));
  return {
    dir,
    config,
    etc,
    async issue(name) {
      const from = join(dir, 'issued', name);
      const files = await issueNode(join(dir, 'ca'), name, { out: from });
      const read = (file: string) => readFile(file, 'latin1');
      const token = encodeToken({
        ca: await read(files.ca),
        cert: await read(files.cert),
        key: await read(files.key),
      });
      return { from, token };
    },
  };
}

/** Time passes only while somebody sleeps. */
function machine(t: Test, { config }: Bed, of: Partial<Machine> = {}) {
  const commands: string[] = [];
  let nowMs = 0;
  const fake: Machine = {
    stdin: Readable.from([]),
    unitsRead: config,
    hasSystemd: async () => true,
    async systemctl(...args) {
      commands.push(args.join(' '));
      return { ok: args[0] !== 'is-active', text: '' };
    },
    unreachable: async () => 'ECONNREFUSED',
    now: () => nowMs,
    async sleep(ms) {
      nowMs += ms;
    },
    ...of,
  };
  const printed: string[] = [];
  const results = t.capture(process.stdout, 'write', (text: string) => {
    printed.push(text);
    return true;
  });
  return { fake, commands, printed, restore: () => results.restore() };
}

async function joined(t: Test, bed: Bed, options: Partial<JoinOptions>, of: Partial<Machine> = {}) {
  const { fake, commands, printed, restore } = machine(t, bed, of);
  try {
    await joinCluster(['10.0.0.1'], { config: bed.config, start: true, ...options }, fake);
  } finally {
    restore();
  }
  return { commands, printed: printed.join('') };
}

async function node(t: Test, { dir }: Bed, members = somePeers) {
  const control = controlTwin({ members });
  const admin = await startAdmin(join(dir, 'admin.sock'), viewTwin(), control, pino({ level: 'silent' }));
  t.teardown(() => admin.stop());
  return control;
}

t.test('one token and one address make a machine a member', async (t) => {
  const b = await bed(t);
  await node(t, b);
  const { token } = await b.issue('n4');
  const { commands, printed } = await joined(t, b, { token: '-' }, { stdin: Readable.from([`${token}\n`]) });
  const { identity, peers } = await loadConfig(b.config);
  t.equal((await loadIdentity(identity)).name, 'n4');
  t.equal((await stat(identity.key)).mode & 0o777, 0o600);
  t.strictSame(peers.bootstrap, ['10.0.0.1:7401']);
  t.same(commands, [
    'is-active --quiet forage.service',
    'enable --now forage-volumes.service forage.service',
  ]);
  t.match(printed, /^members {3}n2 \(192\.0\.2\.2:7400\)$/m, 'those that are alive');
  t.match(printed, /^n4 is a member\./m);
  t.notOk(printed.includes(token.slice(0, 40)));
});

t.test('a node that runs already is restarted', async (t) => {
  const b = await bed(t);
  await node(t, b);
  const commands: string[] = [];
  const systemctl: Machine['systemctl'] = async (...args) => {
    commands.push(args[0]!);
    return { ok: true, text: '' };
  };
  await joined(t, b, { from: (await b.issue('n4')).from }, { systemctl });
  t.same(commands, ['is-active', 'enable', 'restart']);
});

t.test('the others may take a moment to be seen', async (t) => {
  const b = await bed(t);
  const [self, ...others] = [...somePeers].reverse();
  const control = await node(t, b, [self!]);
  let asked = 0;
  const sleep = async () => {
    if (++asked === 3) control.members = [self!, ...others];
  };
  const { printed } = await joined(t, b, { from: (await b.issue('n4')).from }, { sleep });
  t.equal(asked, 3);
  t.match(printed, /is a member/);
});

t.test('nobody else within the time: says which address answers and what to look at', async (t) => {
  const b = await bed(t);
  await node(
    t,
    b,
    somePeers.filter(({ state }) => state !== 'alive'),
  );
  await t.rejects(joined(t, b, { from: (await b.issue('n4')).from }), {
    name: 'Failure',
    message:
      /sees no other member after 15 s.*\n10\.0\.0\.1:7401: cannot be reached: ECONNREFUSED\n(.*\n)*.*journalctl -u forage/,
  });
  await t.rejects(
    joined(t, b, { from: join(b.dir, 'issued', 'n4') }, { unreachable: async () => undefined }),
    {
      message: /10\.0\.0\.1:7401: something listens there/,
    },
  );
});

t.test('a node that never answers, and one that does not start, are told apart', async (t) => {
  const b = await bed(t);
  const { from } = await b.issue('n4');
  await t.rejects(joined(t, b, { from }), { name: 'Failure', message: /no node answers at/ });
  const systemctl = async (...args: string[]) => ({ ok: false, text: `Unit ${args.at(-1)} not found.` });
  await t.rejects(joined(t, b, { from }, { systemctl }), {
    name: 'Failure',
    message:
      /systemctl enable --now .* failed: Unit forage\.service not found\.\nthe identity and the configuration are in place/,
  });
});

t.test(
  'nothing is started without systemd, when told not to, or with a file that the units do not read',
  async (t) => {
    const b = await bed(t);
    const { from } = await b.issue('n4');
    for (const [options, of, words] of [
      [{ start: false }, {}, /Not started\. To start it:\n {2}systemctl enable --now/],
      [{}, { hasSystemd: async () => false }, /no systemd here/],
      [{}, { unitsRead: '/etc/forage/config.toml' }, /the units read \/etc\/forage\/config\.toml/],
    ] as const) {
      const { commands, printed } = await joined(t, b, { from, ...options }, of);
      t.same(commands, []);
      t.match(printed, words);
    }
  },
);

t.test('another identity stays unless it is forced; the same one may be given again', async (t) => {
  const b = await bed(t);
  const [n4, n5] = [await b.issue('n4'), await b.issue('n5')];
  const { identity } = await loadConfig(b.config);
  await joined(t, b, { from: n4.from, start: false });
  await joined(t, b, { from: n4.from, start: false });
  await t.rejects(joined(t, b, { from: n5.from, start: false }), {
    name: 'Failure',
    message: /node\.key: is there already and is another one; --force replaces .* with that of n5/,
  });
  t.equal((await loadIdentity(identity)).name, 'n4');
  await joined(t, b, { from: n5.from, start: false, force: true });
  t.equal((await loadIdentity(identity)).name, 'n5');
});

t.test('what a crash left half done is finished by the same command', async (t) => {
  const b = await bed(t);
  const { from } = await b.issue('n4');
  const { identity } = await loadConfig(b.config);
  await joined(t, b, { from, start: false });
  await rm(identity.cert);
  await joined(t, b, { from, start: false });
  t.equal((await loadIdentity(identity)).name, 'n4');
});

t.test('an identity that no node could use, or a wrong configuration, changes nothing', async (t) => {
  const b = await bed(t);
  const [n4, n5] = [await b.issue('n4'), await b.issue('n5')];
  await initCluster(join(b.dir, 'other'));
  const read = (file: string) => readFile(file, 'latin1');
  const mixed = async (ca: string, cert: string, key: string) =>
    encodeToken({ ca: await read(ca), cert: await read(cert), key: await read(key) });
  const before = await readFile(b.config, 'utf8');
  const wrong: [string, RegExp][] = [
    [
      await mixed(`${n4.from}/ca.crt`, `${n4.from}/node.crt`, `${n5.from}/node.key`),
      /the token's key: is not the key of/,
    ],
    [
      await mixed(join(b.dir, 'other', 'ca.crt'), `${n4.from}/node.crt`, `${n4.from}/node.key`),
      /was not issued by the authority/,
    ],
    [`${n4.token.slice(0, 300)}\n`, /no token/],
    ['', /no token/],
  ];
  for (const [token, message] of wrong)
    await t.rejects(joined(t, b, { token: '-' }, { stdin: Readable.from([token]) }), {
      name: 'IdentityError',
      message,
    });
  t.equal(await readFile(b.config, 'utf8'), before);

  await writeFile(b.config, `${before}[peers]\nmdnss = true\n`);
  await t.rejects(joined(t, b, { from: n4.from }), { name: 'ConfigError' });
  await t.rejects(stat(join(b.etc, 'node.key')), { code: 'ENOENT' });
});

t.test('a token is never an argument, and is not repeated by the error that says so', async (t) => {
  const b = await bed(t);
  const { token } = await b.issue('n4');
  const { status, out, err } = await forage('cluster', 'join', 'n1', '--token', token, '--config', b.config);
  t.equal(status, 2);
  t.match(err, /^forage: a token is a secret/);
  t.notOk((out + err).includes(token.slice(0, 40)));
});

t.test(
  'from the shell: issued into a pipe, joined from standard input, or from a file that only root may read',
  async (t) => {
    const b = await bed(t);
    const ca = ['--dir', join(b.dir, 'ca')];
    const issued = await forage('cluster', 'issue', 'n4', ...ca, '--token');
    t.equal(issued.out.trimEnd().split('\n').length, 1, 'nothing but the token');
    t.match(issued.err, /n4\/node\.key\n/, 'the files are named beside');
    const join4 = await forageWith(issued.out, 'cluster', 'join', 'n1', '--token', '-', '--config', b.config);
    t.equal(join4.status, 0, join4.err);
    t.equal((await loadIdentity((await loadConfig(b.config)).identity)).name, 'n4');

    const file = join(b.dir, 'n5.token');
    t.equal((await forage('cluster', 'issue', 'n5', ...ca, '--token', file)).status, 0);
    t.equal((await stat(file)).mode & 0o777, 0o600);
    const args = ['cluster', 'join', 'n1', 'n2:7402', '--token', file, '--config', b.config];
    t.equal((await forage(...args)).status, 1, 'another identity');
    t.equal((await forage(...args, '--force')).status, 0);
    t.strictSame((await loadConfig(b.config)).peers.bootstrap, ['n1:7401', 'n2:7402']);

    const again = await forage('cluster', 'issue', 'n6', ...ca, '--token', file);
    t.match(again.err, /n5\.token: is there already and is not overwritten/);
    await t.rejects(stat(join(b.dir, 'ca', 'n6')), { code: 'ENOENT' }, 'and nothing was issued');
  },
);

t.test('neither or nothing to join with is wrong usage', async (t) => {
  const b = await bed(t);
  for (const args of [['n1'], ['n1', '--token', join(b.dir, 'absent')], ['n1:x', '--from', '.']]) {
    const { status, err } = await forage('cluster', 'join', ...args, '--config', b.config);
    t.equal(status, args.includes('--token') ? 1 : 2, err);
  }
});
