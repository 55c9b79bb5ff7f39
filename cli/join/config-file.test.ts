import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseConfig } from '../../node/config/config.ts';
import { template } from '../../node/config/docs.ts';
import { planBootstrap, withBootstrap } from './config-file.ts';

const NEW = ['10.0.0.1:7401', '[fd00::1]:7401'];
const LINE = 'bootstrap = ["10.0.0.1:7401", "[fd00::1]:7401"]';

const edited = (text: string) => withBootstrap(text, NEW, 'config.toml');

async function folder(t: Test): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'forage-join-'));
  t.teardown(() => rm(path, { recursive: true }));
  return path;
}

t.test('a value that is there is replaced, and nothing around it', async (t) => {
  const around = (value: string) =>
    `# mine\n[peers] # who\n  host = "n4"\n  bootstrap = ${value} # ask these\n\n[log]\nlevel = "debug"\n`;
  const values = ['[]', '["a:1"]', '[\n  "a:1", # ] no end\n  "[fd00::2]:1",\n]'];
  for (const value of values)
    t.equal(edited(around(value)), around(LINE.slice('bootstrap = '.length)), value);
});

t.test(
  'a file with the table gets the line, below its commented explanation where there is one',
  async (t) => {
    t.equal(edited('[peers]\nmdns = true\n'), `[peers]\n${LINE}\nmdns = true\n`);
    t.equal(edited('[peers]'), `[peers]\n${LINE}\n`, 'also without an end of its last line');
    t.equal(
      edited('[peers]\n# why\n#bootstrap = []\n[log]\n'),
      `[peers]\n# why\n#bootstrap = []\n${LINE}\n[log]\n`,
    );
    const whole = edited(template());
    t.equal(whole.replace(`${LINE}\n`, ''), template(), 'every other line of the printed configuration');
    t.strictSame(parseConfig(whole, '').peers.bootstrap, NEW);
  },
);

t.test('a file without the table gets it at its end', async (t) => {
  t.equal(edited(''), `[peers]\n${LINE}\n`);
  t.equal(edited('root = "/data"'), `root = "/data"\n\n[peers]\n${LINE}\n`);
  t.equal(
    edited('[log]\nlevel = "warn" # [peers]\n'),
    `[log]\nlevel = "warn" # [peers]\n\n[peers]\n${LINE}\n`,
  );
});

t.test('lines end as the others of the file do', async (t) => {
  t.equal(edited('[peers]\r\nmdns = true\r\n'), `[peers]\r\n${LINE}\r\nmdns = true\r\n`);
});

t.test('a bootstrap line of another table is not it', async (t) => {
  const text = '# bootstrap = 1\n[peers]\nhost = "n4"\n';
  t.equal(edited(text), text.replace('[peers]\n', `[peers]\n${LINE}\n`));
});

t.test('a file that lines cannot be added to is left to its owner, with the words to add', async (t) => {
  for (const text of ['peers.host = "n4"\n', 'peers = { mdns = true }\n', '["peers"]\nmdns = true\n'])
    t.throws(() => edited(text), {
      name: 'Failure',
      message: /put bootstrap = \["10\.0\.0\.1:7401",.* into \[peers\] by hand/,
    });
});

t.test('a file that is wrong already is said to be so', async (t) => {
  t.throws(() => edited('[peers]\nmdnss = true\n'), {
    name: 'ConfigError',
    message: /did you mean peers\.mdns/,
  });
});

t.test(
  'nothing is written before it is told to be, and then by rename, with the mode that was',
  async (t) => {
    const dir = await folder(t);
    const file = join(dir, 'real.toml');
    const link = join(dir, 'config.toml');
    await writeFile(file, '# mine\n');
    await chmod(file, 0o640);
    await symlink('real.toml', link);
    const { ino } = await stat(file);
    const change = await planBootstrap(link, NEW);
    t.equal(await readFile(file, 'utf8'), '# mine\n');
    t.strictSame(change.config.peers.bootstrap, NEW);

    await change.write();
    t.equal(await readlink(link), 'real.toml', 'a link stays one');
    t.match(await readFile(file, 'utf8'), /^# mine\n\n\[peers\]\n/);
    const after = await stat(file);
    t.equal(after.mode & 0o777, 0o640);
    t.not(after.ino, ino, 'replaced, not written into');
    t.same((await readdir(dir)).sort(), ['config.toml', 'real.toml'], 'nothing else is left');
  },
);

t.test('a file that is not there is made, with its folder', async (t) => {
  const file = join(await folder(t), 'etc', 'config.toml');
  await (await planBootstrap(file, NEW)).write();
  t.strictSame(parseConfig(await readFile(file, 'utf8'), file).peers.bootstrap, NEW);
  t.equal((await stat(file)).mode & 0o777, 0o644);
});
