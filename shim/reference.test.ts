import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import {
  BadReferenceError,
  decodeReference,
  encodeReference,
  REFERENCE_FILE,
  referenceIn,
} from './reference.ts';

const good = { forage: 1, checkpoint: 'web-1.a', nonce: 'ab'.repeat(16) } as const;

t.test('a reference is read as it was written', async (t) => {
  t.same(decodeReference(encodeReference(good)), good);
});

t.test('whatever else is refused, with the reason', async (t) => {
  const wrong = {
    'no JSON': '{',
    'another version': JSON.stringify({ ...good, forage: 2 }),
    'a path': JSON.stringify({ ...good, checkpoint: '../../etc' }),
    'an absolute path': JSON.stringify({ ...good, checkpoint: '/etc/passwd' }),
    'no nonce': JSON.stringify({ forage: 1, checkpoint: 'web' }),
    'another field': JSON.stringify({ ...good, images: '/tmp' }),
    'a long one': JSON.stringify({ ...good, checkpoint: 'a'.repeat(65) }),
    'no object': '7',
    'no end': ' '.repeat(5000) + JSON.stringify(good),
  };
  for (const [what, text] of Object.entries(wrong))
    t.throws(() => decodeReference(text), BadReferenceError, what);
});

t.test('a folder without one is as runc left it; one that cannot be used is told of', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'forage-reference-'));
  t.teardown(() => rm(folder, { recursive: true }));
  t.equal(await referenceIn(folder), undefined);
  t.equal(await referenceIn(join(folder, 'absent')), undefined);
  await writeFile(join(folder, REFERENCE_FILE), encodeReference(good));
  t.same(await referenceIn(folder), good);
  await writeFile(join(folder, REFERENCE_FILE), '{}');
  await t.rejects(referenceIn(folder), BadReferenceError);
});
