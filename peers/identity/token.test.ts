import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { initCluster, issueNode } from './authority.ts';
import { IdentityError } from './identity.ts';
import { decodeToken, encodeToken, looksLikeToken, MAX_TOKEN_BYTES } from './token.ts';

async function issued(t: Test) {
  const dir = await mkdtemp(join(tmpdir(), 'forage-token-'));
  t.teardown(() => rm(dir, { recursive: true }));
  await initCluster(dir);
  const files = await issueNode(dir, 'n1');
  const [ca, cert, key] = await Promise.all(
    [files.ca, files.cert, files.key].map((file) => readFile(file, 'latin1')),
  );
  return { ca: ca!, cert: cert!, key: key! };
}

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

t.test('the three files come out of a token as they went in', async (t) => {
  const files = await issued(t);
  const token = encodeToken(files);
  t.match(token, /^[\w-]+$/, 'one line that needs no quotes');
  t.same(decodeToken(token), files);
  t.same(decodeToken(` ${token}\r\n`), files, 'with what a file or a paste adds');
  t.ok(looksLikeToken(token));
  t.notOk(looksLikeToken('/root/eyJ/n1.token'));
});

t.test('what is no token is refused, and nothing of it is quoted', async (t) => {
  const files = await issued(t);
  const token = encodeToken(files);
  const wrong: [string, RegExp][] = [
    ['', /no token/],
    ['null', /no token/],
    [files.key, /no token/],
    [`${token.slice(0, 400)} ${token.slice(400)}`, /no token/],
    [token.slice(0, -100), /no token/],
    [encoded(null), /no token/],
    [encoded([files]), /no token/],
    [encoded({ ...files, version: 2 }), /another version/],
    [encoded({ ...files, version: 1, key: undefined }), /its key is none/],
    [encoded({ ...files, version: 1, ca: ['x'] }), /its ca is none/],
    [encoded({ ...files, version: 1, cert: 'a\0' }), /its cert is none/],
    [encoded({ ...files, version: 1, cert: 'x'.repeat(20_000) }), /its cert is none/],
    ['A'.repeat(MAX_TOKEN_BYTES + 1), /at most/],
  ];
  const secret = files.key.split('\n')[1]!;
  for (const [text, message] of wrong) {
    t.throws(() => decodeToken(text), { name: 'IdentityError', message });
    try {
      decodeToken(text);
    } catch (error) {
      t.notOk((error as Error).message.includes(secret.slice(0, 16)));
    }
  }
  t.throws(() => encodeToken({ ...files, key: '' }), IdentityError, 'nor is one made');
});
