import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { diskUsage } from './usage.ts';

t.test('counts as du does: allocated blocks, a hard-linked file once, the root too', async (t) => {
  const root = t.testdir();
  mkdirSync(join(root, 'd'));
  writeFileSync(join(root, 'd/file'), Buffer.alloc(10_000));
  linkSync(join(root, 'd/file'), join(root, 'again'));
  symlinkSync('nowhere', join(root, 'link'));
  writeFileSync(join(root, 'sparse'), '');
  truncateSync(join(root, 'sparse'), 1 << 30);
  for (let i = 0; i < 600; i++) writeFileSync(join(root, 'd', String(i)), 'x');

  const { sizeBytes, inodes } = await diskUsage(root);
  const du = (...options: string[]) =>
    Number(
      execFileSync('du', ['-s', ...options, root])
        .toString()
        .split('\t')[0],
    );
  t.equal(inodes, 1 + 1 + 1 + 1 + 1 + 600);
  t.equal(inodes, du('--inodes'));
  t.equal(sizeBytes, du('-B1'));
});

t.test('a directory that is not there is an error', async (t) => {
  await t.rejects(diskUsage(join(t.testdir(), 'none')), { code: 'ENOENT' });
});
