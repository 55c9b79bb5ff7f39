import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { scratch } from '../blocks/testing.ts';
import { criuErrors } from './criu-log.ts';

t.test("the last of CRIU's errors are found among all that it says", async (t) => {
  const path = join(scratch(t), 'dump.log');
  t.equal(criuErrors(path), '');
  const lines = [
    '(00.000001) Error (criu/a.c:1): the first',
    ...[2, 3, 4].map((n) => `(00.00000${n}) Error (criu/a.c:${n}): number ${n}`),
    '(00.000005) irmap: Refresh stat for /usr/share/perl5/Error.pm',
    '(00.000006)      7: Error (criu/b.c:5): of a process',
  ];
  await writeFile(path, lines.join('\n'));
  const last = '7: Error (criu/b.c:5): of a process';
  t.equal(criuErrors(path), [...[2, 3, 4].map((n) => `Error (criu/a.c:${n}): number ${n}`), last].join('; '));
});
