import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { Bed, until } from './bed.twin.ts';
import { Holder } from './holder.ts';
import { RestoredTwin } from './restored.twin.ts';

const container = { id: 'c1', namespace: '', bundle: '/b', root: '/r', lowers: [] };
const HOLDER = fileURLToPath(new URL('holder.ts', import.meta.url));

t.test('while copies are held, nobody is given zeros', async (t) => {
  const process = new RestoredTwin();
  const at = process.map(1);
  const holder = new Holder(container);
  holder.hold([]);
  holder.hold([process.uffd]);
  process.close();
  let word: number | undefined;
  const touched = process.touch(at).then((got) => {
    word = got;
  });
  await sleep(100);
  t.equal(word, undefined);
  await holder.release();
  await touched;
  t.equal(word, 0);
});

t.test('a guard that is killed takes the container with it; one that ends in order does not', async (t) => {
  const bed = await Bed.make(t);
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const script = `
      const { Holder } = await import(${JSON.stringify(HOLDER)});
      const holder = new Holder(${JSON.stringify(container)});
      holder.hold([]);
      process.on('SIGTERM', () => holder.release().then(() => process.exit()));
      console.log('held');
      setInterval(() => {}, 1000);`;
    const guard = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, BED: bed.folder, FORAGE_RUNC: bed.path('runc') },
    });
    await once(guard.stdout, 'data');
    guard.kill(signal);
    await once(guard, 'exit');
    if (signal === 'SIGTERM') await t.rejects(bed.text('calls'), { code: 'ENOENT' });
  }
  await until(async () => (await bed.text('calls').catch(() => '')) !== '');
  t.match(await bed.text('calls'), '--root /r kill --all c1 KILL');
});
