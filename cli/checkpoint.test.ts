/** The commands about checkpoints, against a node in memory. */
import t from 'tap';
import { someCheckpoint } from '../node/checkpoints/control.twin.ts';
import { forage, withNode } from './bed.twin.ts';

const ID = someCheckpoint.id;

t.test('checkpoints are listed, for scripts and for people', async (t) => {
  const config = await withNode(t);
  const listed = JSON.parse((await forage('checkpoint', 'ls', '--json', '--config', config)).out);
  t.match(listed, [
    {
      id: ID,
      image: 'registry.example/web:2',
      node: 'n1',
      namespace: 'default',
      container: 'web',
      parent: null,
      memory_bytes: 300_000_000,
      files_bytes: 4_000_000,
      frozen_ms: 412.5,
      bytes_here: 150_000_000,
      block_bytes: 304_000_000,
    },
  ]);
  const { out } = await forage('checkpoint', 'ls', '--config', config);
  t.match(out, /^CHECKPOINT +CONTAINER +IMAGE +NODE +MADE +MEMORY +FILES +HERE$/m);
  t.match(out, /^web-\S+ +web +registry\S+ +n1 +2026-01-01 12:00:00 +300\.0 MB +4\.0 MB +49 %$/m);
});

t.test('one is inspected with its document, and removed', async (t) => {
  const config = await withNode(t);
  const shown = JSON.parse((await forage('checkpoint', 'inspect', ID, '--config', config)).out);
  t.match(shown, { id: ID, document: { container: { id: 'web' }, wasLeftRunning: true } });
  t.match(await forage('checkpoint', 'rm', ID, '--config', config), { status: 0, out: /^removed web-/ });
  t.match(await forage('checkpoint', 'ls', '--config', config), { out: /^No checkpoints\./ });
  t.match(await forage('checkpoint', 'rm', ID, '--config', config), {
    status: 1,
    err: `forage: there is no checkpoint ${ID}\n`,
  });
});

t.test('a restore tells how it goes on, and how long it took', async (t) => {
  const config = await withNode(t);
  const { status, out, err } = await forage('restore', ID, '--name', 'web2', '--config', config);
  t.equal(status, 0);
  t.match(out, /^web2 runs after \d+(?:\.\d)? ms; all of its memory was here after \d+(?:\.\d)? ms$/m);
  t.match(err, /^looking$/m);
  t.match(err, /memory: 25 %, 1\.0 kB of 4\.0 kB\n/);
  const json = JSON.parse((await forage('restore', ID, '--json', '--config', config)).out);
  t.match(json, { checkpoint: ID, container: ID, memory_bytes: 4000 });
  const early = await forage('restore', ID, '--no-wait', '--json', '--config', config);
  t.match(JSON.parse(early.out), { complete_ms: null });
});

t.test('a restore that fails says why', async (t) => {
  const config = await withNode(t);
  t.match(await forage('restore', ID, '--on', 'broken', '--config', config), {
    status: 1,
    err: /forage: no layer\n$/,
  });
  t.match(await forage('restore', '../../etc', '--config', config), {
    status: 1,
    err: /^forage: that is no checkpoint's id/,
  });
  t.match(await forage('restore', 'absent', '--config', config), {
    status: 1,
    err: /there is no checkpoint absent/,
  });
});

t.test('one is written to a file, and read from one', async (t) => {
  const config = await withNode(t);
  const written = await forage('checkpoint', 'export', ID, 'web.tar', '--json', '--config', config);
  t.match(JSON.parse(written.out), { id: ID, file: /^\/.*web\.tar$/, bytes: 400 });
  const read = await forage('checkpoint', 'import', 'web.tar', '--config', config);
  t.match(read, { status: 0, out: 'imported is in the cluster: 400 B\n' });
  t.match(await forage('checkpoint', 'import', 'web.jpg', '--config', config), {
    status: 1,
    err: /forage: it is no archive of a checkpoint\n$/,
  });
});

t.test('a fork goes over the living nodes in turn, this one first', async (t) => {
  const config = await withNode(t);
  const { status, out } = await forage(
    'fork',
    ID,
    '--count',
    '3',
    '--name',
    'w',
    '--json',
    '--config',
    config,
  );
  t.equal(status, 0);
  t.match(JSON.parse(out), [
    { container: 'w-1', node: 'n1', failed: null },
    { container: 'w-2', node: 'n2', failed: null },
    { container: 'w-3', node: 'n1', failed: null },
  ]);
  t.match(await forage('fork', ID, '--count', '0', '--config', config), {
    status: 2,
    err: /--count: 1 to 1000/,
  });
  t.match(await forage('fork', ID, '--count', 'x', '--config', config), { status: 2, err: /whole number/ });
});

t.test('help has examples, and says what a command destroys', async (t) => {
  for (const command of [
    ['checkpoint', 'create'],
    ['checkpoint', 'rm'],
    ['restore'],
    ['migrate'],
    ['fork'],
  ]) {
    const { status, out } = await forage(...command, '--help');
    t.equal(status, 0);
    t.match(out, new RegExp(`^ {2}forage ${command.join(' ')}`, 'm'), command.join(' '));
  }
  t.match((await forage('checkpoint', 'rm', '--help')).out, /Destroys it/);
});
