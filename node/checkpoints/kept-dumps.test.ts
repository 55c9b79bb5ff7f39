import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import t, { type Test } from 'tap';
import { createKeptDumps } from './kept-dumps.ts';
import { openStaging, type Staged } from './staging.ts';

async function setup(t: Test) {
  const folder = await mkdtemp(join(tmpdir(), 'forage-kept-'));
  t.teardown(() => rm(folder, { recursive: true }));
  const paths = [join(folder, 'root'), join(folder, 'run')] as const;
  for (const path of paths) await mkdir(path);
  const staging = await openStaging(...paths);
  const { id, directory } = await staging.make('web', 100, undefined);
  for (const part of ['images', 'files']) await mkdir(join(directory, part));
  await writeFile(join(directory, 'images/pages-1.img'), 'memory');
  await staging.take({ id, directory } as Staged);
  const kept = createKeptDumps(staging, pino({ level: 'silent' }));
  t.teardown(() => kept.stop());
  return { id, directory, kept, again: () => openStaging(...paths) };
}

t.test('the images of a dump that is kept stay, what the container has written goes', async (t) => {
  const { id, directory, kept } = await setup(t);
  await kept.keep(id, directory);
  const images = kept.imagesOf(id)!;
  t.equal(await readFile(join(images, 'pages-1.img'), 'utf8'), 'memory');
  t.notOk(existsSync(join(directory, 'files')));
  await kept.forget(id);
  t.equal(kept.imagesOf(id), undefined);
  t.notOk(existsSync(directory));
  await kept.forget(id);
});

t.test(
  'a dump that was kept is none to be made a checkpoint of again: the next start removes it',
  async (t) => {
    const { id, directory, kept, again } = await setup(t);
    await kept.keep(id, directory);
    t.same(await (await again()).leftovers(), []);
    t.notOk(existsSync(directory));
  },
);
