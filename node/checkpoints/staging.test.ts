import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { NoRoomError, openStaging, type Staged } from './staging.ts';

async function folders(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-staging-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const [root, run] = [join(folder, 'root'), join(folder, 'run')];
  for (const path of [root, run]) await mkdir(path);
  return { root, run };
}

const staged = (id: string, directory: string): Staged => ({
  id,
  directory,
  hasFiles: true,
  below: ['ab'.repeat(32)],
  document: {
    id,
    node: 'n1',
    createdMs: 1,
    container: { namespace: 'default', id: 'web' },
    wasLeftRunning: true,
    frozenMs: 1,
    memoryBytes: 1,
    filesBytes: 1,
  },
});

t.test('a folder of its own for each dump, named after the container', async (t) => {
  const { root, run } = await folders(t);
  const staging = await openStaging(root, run);
  const [one, other] = [
    await staging.make('My_Web', 1000, undefined),
    await staging.make('My_Web', 1000, undefined),
  ];
  t.match(one.id, /^my-web-\d{8}-\d{6}-[0-9a-f]{4}$/);
  t.not(one.id, other.id);
  t.equal((await stat(one.directory)).mode & 0o777, 0o700);
  t.equal((await staging.make('ab'.repeat(32), 1000, undefined)).id.slice(0, 13), 'abababababab-');
  t.equal((await staging.make('x', 1000, 'mine')).id, 'mine');
  await t.rejects(staging.make('x', 1000, 'mine'), { code: 'EEXIST' });
});

t.test('what does not fit anywhere is refused', async (t) => {
  const { root, run } = await folders(t);
  const staging = await openStaging(root, run);
  await t.rejects(staging.make('web', 1e18, undefined), NoRoomError);
});

t.test('after a crash: what was taken is gone on with, what was not goes', async (t) => {
  const { root, run } = await folders(t);
  const staging = await openStaging(root, run);
  const [taken, dying] = [
    await staging.make('web', 1000, undefined),
    await staging.make('db', 1000, undefined),
  ];
  await mkdir(join(taken.directory, 'images'));
  await staging.take(staged(taken.id, taken.directory));
  await writeFile(join(dying.directory, 'taken.json.new'), '{');
  const again = await openStaging(root, run);
  t.same(await again.leftovers(), [staged(taken.id, taken.directory)]);
  await t.rejects(stat(dying.directory), { code: 'ENOENT' });
  t.same((await readdir(taken.directory)).sort(), ['images', 'taken.json']);
  await again.remove(taken.directory);
  t.same(await again.leftovers(), []);
});
